import { describe, expect, it } from 'vitest';
import { MerError } from '../../common/errors.js';
import { runSteps, type Step } from '../../scripts/setup/step.js';

/** A machine on which steps leave marks: what set-up's steps do, without what they install. */
function machine() {
  const done = new Set<string>();
  const events: string[] = [];
  const lines: string[] = [];
  const step = (name: string, failure: { check?: string; run?: string } = {}): Step => ({
    name,
    isDone: async () => done.has(name),
    async check() {
      events.push(`check ${name}`);
      if (failure.check) throw new MerError('missing_part', failure.check, 'Bring it.');
    },
    async run() {
      events.push(`run ${name}`);
      if (failure.run) throw new MerError('missing_part', failure.run, 'Try again.');
      done.add(name);
    },
  });
  const setUp = (...steps: Step[]) =>
    runSteps(steps, {
      print: (line) => lines.push(line.replace(/\s+/g, ' ')),
      quiet: false,
      async lock() {
        events.push('lock');
        return async () => void events.push('unlock');
      },
    });
  return { done, events, lines, step, setUp };
}

describe('set-up runs its steps', () => {
  it('prints of each whether it was there, and its seconds', async () => {
    const { step, setUp, done, lines } = machine();
    done.add('ffmpeg');
    await setUp(step('ffmpeg'), step('TensorFlow'));
    expect(lines).toEqual([
      expect.stringMatching(/^ffmpeg already there \d+\.\d s$/),
      expect.stringMatching(/^TensorFlow installed \d+\.\d s$/),
    ]);
  });

  it('asks what the machine lacks before anything long begins', async () => {
    const { step, setUp, events } = machine();
    await expect(setUp(step('download'), step('compile', { check: 'no compiler' }))).rejects.toThrow('no compiler');
    expect(events).toEqual(['lock', 'check download', 'check compile', 'unlock']);
  });

  it('continues after a failure where it stopped', async () => {
    const { step, setUp, events } = machine();
    await expect(setUp(step('first'), step('second', { run: 'no network' }), step('third'))).rejects.toThrow();
    events.length = 0;
    await setUp(step('first'), step('second'), step('third'));
    expect(events).toEqual(['lock', 'check second', 'check third', 'run second', 'run third', 'unlock']);
  });

  it('locks nothing when all is there', async () => {
    const { step, setUp, done, events } = machine();
    done.add('ffmpeg');
    await setUp(step('ffmpeg'));
    expect(events).toEqual([]);
  });
});
