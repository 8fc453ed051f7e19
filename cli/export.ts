import type { Command } from 'commander';

export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description('Freeze a multimodal run to ONNX: a bundle that serves without Python or TensorFlow.')
    .requiredOption(
      '--run <dir>',
      'folder of the run, logs/multimodal/NAME (its best checkpoint), or a checkpoint file',
    )
    .requiredOption('--out <dir>', 'folder of the bundle; a bundle that lies there is replaced')
    .option('--name <name>', 'what the bundle calls itself (default: the name of its folder)')
    .option(
      '--features <dir>',
      'features whose validation clips it is calibrated and measured on (default: those that the run names)',
    )
    .action(async (options: { run: string; out: string; name?: string; features?: string }) => {
      // The gate compares on the CPU: a GPU may round matrix products to TF32. TensorFlow reads this when it is loaded.
      process.env.CUDA_VISIBLE_DEVICES = '';
      const { exportBundle } = await import('../export/bundle.js');
      const { name, version, parity } = await exportBundle(options);
      process.stdout.write(
        `${options.out}: bundle ${name} ${version}; ONNX Runtime equals TensorFlow within ${parity.maxError.toExponential(1)}\n`,
      );
    });
}
