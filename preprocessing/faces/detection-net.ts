import fs from 'node:fs';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { MerError } from '../../common/errors.js';

export type DetectionNetName = 'pnet' | 'rnet' | 'onet';

/** One run of one of the nets, for whoever measures. */
export interface NetRun {
  net: DetectionNetName;
  /** Shape of the input: (pictures, 3, height, width). */
  shape: readonly number[];
  milliseconds: number;
}

export interface DetectionNetOptions {
  /** Folder of pnet.onnx, rnet.onnx and onet.onnx: MTCNN_DIR, or a bundle. */
  directory: string;
  /** Where the nets run; the processor when absent. */
  provider?: InferenceSession.ExecutionProviderConfig;
  /** Is told of each run of a net. */
  onRun?: (run: NetRun) => void;
  /** Is told how long each search for faces took, the nets included. */
  onDetection?: (milliseconds: number) => void;
}

/** One of the three nets of MTCNN. */
export class DetectionNet {
  readonly #name: DetectionNetName;
  readonly #session: InferenceSession;
  readonly #onRun: DetectionNetOptions['onRun'];

  private constructor(name: DetectionNetName, session: InferenceSession, onRun: DetectionNetOptions['onRun']) {
    this.#name = name;
    this.#session = session;
    this.#onRun = onRun;
  }

  /** @throws MerError missing_part when the net is not there */
  static async load(name: DetectionNetName, options: DetectionNetOptions): Promise<DetectionNet> {
    const file = path.join(options.directory, `${name}.onnx`);
    if (!fs.existsSync(file)) {
      throw new MerError('missing_part', `The face detection net ${file} is missing.`, 'Run `npm run setup`.');
    }
    const session = await InferenceSession.create(file, {
      executionProviders: [options.provider ?? 'cpu'],
      // The maps have too few channels for a second thread to help; waiting for work it would take a core from the decoder.
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      // Each scale and each number of crops is another shape: plans for them would only pile up.
      enableMemPattern: false,
    });
    return new DetectionNet(name, session, options.onRun);
  }

  /**
   * @param image (pictures, 3, height, width) RGB, normalised as (x - 127.5) / 128
   * @param room where outputs are written to, by their names; without it they are made anew, which costs time for large ones
   * @returns a reader of the outputs by name. @throws MerError bad_file for a name that the net does not have
   */
  async run(
    image: Float32Array,
    shape: readonly [number, number, number, number],
    room?: Readonly<Record<string, NetOutput>>,
  ): Promise<NetOutputs> {
    const start = performance.now();
    const feeds = { image: new Tensor('float32', image, shape) };
    const tensor = ({ data, shape }: NetOutput) => new Tensor('float32', data, shape);
    const outputs = room
      ? await this.#session.run(
          feeds,
          Object.fromEntries(Object.entries(room).map(([name, output]) => [name, tensor(output)])),
        )
      : await this.#session.run(feeds);
    this.#onRun?.({ net: this.#name, shape, milliseconds: performance.now() - start });
    return (name) => {
      const given = room?.[name];
      if (given) return given;
      const output = outputs[name];
      if (output?.data instanceof Float32Array) return { data: output.data, shape: output.dims };
      throw new MerError('bad_file', `The face detection net has no output ${name}.`, 'Run `npm run setup` again.');
    };
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

export interface NetOutput {
  data: Float32Array;
  shape: readonly number[];
}

export type NetOutputs = (name: 'probabilities' | 'boxes' | 'points') => NetOutput;
