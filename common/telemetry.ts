/**
 * Environment that keeps ONNX Runtime from gathering telemetry: from 1.30 on its Linux library writes an identifier and
 * log files into the temporary folder and sends events to its maker. It must be set before the library is loaded.
 */
export const NO_TELEMETRY = { ORT_DISABLE_TELEMETRY: '1' } as const;
