/**
 * The four training commands that users of the reference know, word for word but for the program's name.
 * `{path1}` to `{path3}` stand for the speech, text and face runs.
 */
export const REFERENCE_COMMANDS = [
  'train --mode speech --exp_name AttnCNN-B4 --learning_rate 4e-3 --batch_size 256 --n_epoch 100 --optim ranger --warmup 0 --weight_decay 5e-5 --num_workers 16 --speech_coeff 4 --mixup_prob 1 --mixup_alpha 1 --label_smoothing 0.1 --amp True',
  'train --mode face --exp_name CLSTM-B0 --learning_rate 4e-3 --batch_size 32 --n_epoch 20 --optim ranger --warmup 0 --weight_decay 5e-5 --num_workers 16 --face_coeff 0 --cutmix_prob 1 --cutmix_beta 1 --label_smoothing 0.1 --amp True',
  'train --mode text --exp_name transformer-3_4 --learning_rate 4e-3 --batch_size 128 --n_epoch 20 --optim ranger --warmup 0 --weight_decay 5e-5 --num_workers 16 --face_coeff 0 --cutmix_prob 1 --cutmix_beta 1 --label_smoothing 0.1 --amp True',
  'train --mode multimodal --exp_name 201111 --speech_load_weights {path1} --text_load_weights {path2} --face_load_weights {path3} --learning_rate 4e-3 --batch_size 32 --n_epoch 3 --optim sgd --warmup 0 --weight_decay 5e-5 --num_workers 16 --speech_coeff 4 --face_coeff 0 --lam 0 --label_smoothing 0.1 --amp True',
] as const;

/** The arguments of the four commands, with the paths of the unimodal runs under `logs` filled in. */
export function referenceCommands(logs: string): string[][] {
  const paths = [`${logs}/speech/AttnCNN-B4`, `${logs}/text/transformer-3_4`, `${logs}/face/CLSTM-B0`];
  return REFERENCE_COMMANDS.map((command) =>
    command
      .split(' ')
      .map((word) => word.replace(/^\{path([1-3])\}$/, (_, which: string) => paths[Number(which) - 1]!)),
  );
}
