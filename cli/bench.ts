import type { Command } from 'commander';
import { addBenchAllCommand } from './bench-all.js';
import { addBenchExportCommand } from './bench-export.js';
import { addBenchGpuCommand } from './bench-gpu.js';
import { addBenchInferCommand } from './bench-infer.js';
import { addBenchPreprocessCommand } from './bench-preprocess.js';
import { addBenchServeCommand } from './bench-serve.js';
import { addBenchTrainCommand } from './bench-train.js';

export function addBenchCommand(program: Command): void {
  const bench = program
    .command('bench')
    .description('Measure time, throughput and memory, beside PyTorch where it can.');
  addBenchPreprocessCommand(bench);
  addBenchTrainCommand(bench);
  addBenchExportCommand(bench);
  addBenchInferCommand(bench);
  addBenchServeCommand(bench);
  addBenchGpuCommand(bench);
  addBenchAllCommand(bench);
}
