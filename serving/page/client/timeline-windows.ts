/** Seconds from one window to the next in short clips, and how many windows a long clip has at most. */
const SHORTEST_HOP = 0.5;
const MOST_WINDOWS = 60;
/** Windows overlap, so that a moment is not torn apart; the server takes no longer ones. */
const HOPS_PER_WINDOW = 3;
const LONGEST_WINDOW = 6.4;

/** Seconds of a window and from one window to the next, for a clip of `duration` seconds where that is known. */
export function timelineWindows(duration: number | null): { window: number; hop: number } {
  const hop = Math.max(SHORTEST_HOP, (duration ?? 0) / MOST_WINDOWS);
  return { window: Math.min(LONGEST_WINDOW, HOPS_PER_WINDOW * hop), hop };
}
