import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: './test/helpers/global-setup.ts',
    // As the command line sets it (common/telemetry.ts).
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // Native libraries (TensorFlow, ONNX Runtime) live in processes of their own.
    pool: 'forks',
    maxWorkers: 2,
    // Tests judge results, never time: these limits only end a test that hangs.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['default', './test/closing-line.ts'],
    coverage: { provider: 'v8' },
  },
});
