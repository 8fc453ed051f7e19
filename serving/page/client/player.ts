import { byId } from './dom.js';

/** A recording of MediaRecorder states no length; looking behind its end makes the browser find it. */
const BEHIND_ANY_END = 1e7;

/** The clip in the browser: plays it, and lends its frames. */
export class Player {
  readonly video = byId('player', HTMLVideoElement);
  #url: string | null = null;

  constructor() {
    this.video.addEventListener('error', () => this.#showPlayable(false));
    this.video.addEventListener('loadedmetadata', () => {
      if (this.video.duration === Number.POSITIVE_INFINITY) {
        this.video.addEventListener('durationchange', () => this.seek(0), { once: true });
        this.video.currentTime = BEHIND_ANY_END;
      }
    });
  }

  /** The address of the clip within the browser. */
  get url(): string | null {
    return this.#url;
  }

  /** Seconds, where the browser knows them. */
  get duration(): number | null {
    return Number.isFinite(this.video.duration) ? this.video.duration : null;
  }

  load(clip: File): void {
    this.unload();
    this.#url = URL.createObjectURL(clip);
    this.#showPlayable(true);
    this.video.src = this.#url;
    byId('player-title', HTMLHeadingElement).textContent = clip.name;
  }

  unload(): void {
    if (this.#url === null) return;
    this.video.removeAttribute('src');
    this.video.load();
    URL.revokeObjectURL(this.#url);
    this.#url = null;
  }

  /** @param time seconds */
  seek(time: number): void {
    this.video.currentTime = time;
  }

  /** Calls `show` with the time in seconds whenever another moment is shown, every frame while the clip plays. */
  follow(show: (time: number) => void, signal: AbortSignal): void {
    const now = (): void => show(this.video.currentTime);
    const run = (): void => {
      if (signal.aborted) return;
      now();
      if (!this.video.paused && !this.video.ended) requestAnimationFrame(run);
    };
    for (const event of ['play', 'seeking', 'seeked', 'timeupdate']) {
      this.video.addEventListener(event, event === 'play' ? run : now, { signal });
    }
    now();
  }

  #showPlayable(playable: boolean): void {
    byId('unplayable', HTMLParagraphElement).hidden = playable;
    this.video.hidden = !playable;
  }
}

/** Longest time to wait for one frame, in milliseconds. */
const FRAME_WAIT_MS = 5000;

/**
 * Draws frames of a clip, one after the other, without disturbing the player.
 * @param url address of the clip within the browser
 * @param frames seconds, and the canvas that each is drawn on
 */
export async function drawFrames(
  url: string,
  frames: readonly { time: number; canvas: HTMLCanvasElement }[],
  signal: AbortSignal,
): Promise<void> {
  const video = document.createElement('video');
  video.muted = true;
  video.preload = 'auto';
  video.src = url;
  try {
    await happened(video, 'loadeddata', signal);
    for (const { time, canvas } of frames) {
      const seeked = happened(video, 'seeked', signal);
      video.currentTime = time;
      await seeked;
      drawCovering(video, canvas);
    }
  } finally {
    video.removeAttribute('src');
    video.load();
  }
}

function happened(video: HTMLVideoElement, event: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = window.setTimeout(() => reject(new Error(`The clip gave no ${event}.`)), FRAME_WAIT_MS);
    const options = { once: true, signal };
    video.addEventListener(
      event,
      () => {
        window.clearTimeout(timer);
        resolve();
      },
      options,
    );
    video.addEventListener('error', () => reject(new Error('The clip cannot be shown.')), options);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Fills the canvas with the middle of the frame. */
function drawCovering(video: HTMLVideoElement, canvas: HTMLCanvasElement): void {
  const scale = Math.max(canvas.width / video.videoWidth, canvas.height / video.videoHeight);
  const [width, height] = [canvas.width / scale, canvas.height / scale];
  canvas
    .getContext('2d')
    ?.drawImage(
      video,
      (video.videoWidth - width) / 2,
      (video.videoHeight - height) / 2,
      width,
      height,
      0,
      0,
      canvas.width,
      canvas.height,
    );
}
