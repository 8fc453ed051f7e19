import { Command } from 'commander';
import { addServeCommand } from '../cli/serve.js';

/** What stands around the table of flags in docs/serving.md. */
export const FLAG_TABLE = /(?<=<!-- flags: npx tsx scripts\/write-serving-docs\.ts -->\n).*?(?=<!-- end of flags -->)/s;

/** The flags of `mer serve` as a Markdown table. */
export function serveFlagTable(): string {
  const program = new Command();
  addServeCommand(program);
  const rows = program.commands[0]!.options.map((option) => {
    const { envVar, defaultValue, description, argChoices } = option;
    const stated = / ?\(default: (.*)\)$/.exec(description);
    const standard = Array.isArray(defaultValue) ? undefined : defaultValue;
    const choices = argChoices === undefined ? '' : `: ${argChoices.join(', ')}`;
    return [
      `\`--${option.name()}\``,
      `\`${envVar}\``,
      standard ?? stated?.[1] ?? 'none',
      description.replace(stated?.[0] ?? '', '') + choices,
    ].join(' | ');
  });
  return ['flag | environment | default | what', '--- | --- | --- | ---', ...rows]
    .map((row) => `| ${row} |\n`)
    .join('');
}
