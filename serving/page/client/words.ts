/** How numbers are put into words. */

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

/** Minutes and seconds, such as 1:07. */
export function clock(value: number): string {
  const whole = Math.floor(value);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

export function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed === '' ? '' : `${trimmed[0]!.toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}
