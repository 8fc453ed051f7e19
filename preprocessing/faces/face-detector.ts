/** One decoded video frame: row-major (height, width, 3) RGB. */
export interface RgbFrame {
  data: Uint8Array;
  width: number;
  height: number;
}

/** A detected face. Coordinates are pixels of the frame and may lie outside of it. */
export interface Face {
  /** x1, y1, x2, y2 */
  box: [number, number, number, number];
  /** O-Net's probability, in [0.7, 1]. */
  probability: number;
  /** x, y of the left eye, right eye, nose, left and right mouth corner. */
  points: [number, number][];
}

export interface FaceDetector {
  /** All faces of a frame, the largest first. */
  detect(frame: RgbFrame): Promise<Face[]>;
  /** Frees the native sessions. */
  dispose(): Promise<void>;
}

/**
 * Loads pnet.onnx, rnet.onnx and onet.onnx.
 *
 * @param options.directory folder of the three nets: MTCNN_DIR, or a bundle
 * @param options.threads threads of ONNX Runtime within one operator
 * @throws MerError missing_part when a net is not there
 */
export declare function createFaceDetector(options: { directory: string; threads: number }): Promise<FaceDetector>;
