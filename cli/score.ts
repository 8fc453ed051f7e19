import type { Command } from 'commander';

export function addScoreCommand(program: Command): void {
  program
    .command('score')
    .description('Compare a submission with the labels: accuracy, F1, confusion matrix.')
    .argument('<submission>', 'CSV file with the header FileID,Emotion')
    .argument('<labels>', 'CSV file of the same form with the true emotions')
    .option('--json', 'print everything as JSON')
    .action(async (submission: string, labels: string, flags: { json?: true }) => {
      const [{ scoreSubmission }, { classReport }] = await Promise.all([
        import('../evaluation/score.js'),
        import('../evaluation/report.js'),
      ]);
      const score = await scoreSubmission(submission, labels);
      const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;
      const summary =
        `${score.clips} clips: accuracy ${percent(score.accuracy)}, macro F1 ${percent(score.macroF1)}, ` +
        `weighted F1 ${percent(score.weightedF1)}`;
      process.stdout.write(
        flags.json ? `${JSON.stringify(score, null, 2)}\n` : `${summary}\n\n${classReport(score)}\n`,
      );
    });
}
