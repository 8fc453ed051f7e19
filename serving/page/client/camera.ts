import { announce, byId } from './dom.js';
import { clock } from './words.js';

/** Longest recording, in milliseconds. */
const LONGEST_MS = 30_000;
/** In order of preference; Safari has only the last. */
const TYPES = ['video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4'];

/** Why this browser cannot record, or null when it can. */
export function whyNoCamera(): string | null {
  if (!window.isSecureContext) return 'Recording needs https or localhost: browsers open the camera nowhere else.';
  if (navigator.mediaDevices === undefined || typeof MediaRecorder === 'undefined') {
    return 'This browser cannot record. Choose a clip instead.';
  }
  return null;
}

/** The camera with its viewfinder and its shutter. `onClip` gets what was recorded. */
export class Camera {
  #stream: MediaStream | null = null;
  #recorder: MediaRecorder | null = null;
  #clockTimer = 0;
  readonly #viewfinder = byId('viewfinder', HTMLVideoElement);
  readonly #shutter = byId('shutter', HTMLButtonElement);
  readonly #light = byId('recording', HTMLParagraphElement);

  constructor(private readonly onClip: (clip: File) => void) {
    this.#shutter.addEventListener('click', () => {
      if (this.#recorder === null) this.#start();
      else this.#recorder.stop();
    });
  }

  /** Asks for the camera and shows what it sees. @throws Error in words for people */
  async open(): Promise<void> {
    this.#shutter.disabled = true;
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: 'user' },
        audio: true,
      });
    } catch (error) {
      throw new Error(cameraTrouble(error), { cause: error });
    }
    this.#viewfinder.srcObject = this.#stream;
    await this.#viewfinder.play();
    this.#shutter.disabled = false;
  }

  /** Stops everything; what was being recorded is dropped. */
  close(): void {
    const recorder = this.#recorder;
    this.#stopped();
    if (recorder !== null) {
      recorder.onstop = null;
      recorder.stop();
    }
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#viewfinder.srcObject = null;
  }

  #start(): void {
    if (this.#stream === null) return;
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const recorder = new MediaRecorder(this.#stream, mimeType === undefined ? {} : { mimeType });
    const parts: Blob[] = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => {
      this.close();
      const type = recorder.mimeType.split(';')[0] ?? '';
      this.onClip(new File(parts, `recording.${type === 'video/mp4' ? 'mp4' : 'webm'}`, { type }));
    };
    recorder.start();
    this.#recorder = recorder;
    this.#shutter.textContent = 'Stop and look at it';
    this.#light.hidden = false;
    announce('Recording.');
    const startedAt = performance.now();
    const showClock = (): void => {
      const elapsed = performance.now() - startedAt;
      byId('recorded', HTMLSpanElement).textContent = clock(elapsed / 1000);
      if (elapsed >= LONGEST_MS) recorder.stop();
    };
    showClock();
    this.#clockTimer = window.setInterval(showClock, 250);
  }

  #stopped(): void {
    window.clearInterval(this.#clockTimer);
    this.#recorder = null;
    this.#light.hidden = true;
    this.#shutter.textContent = 'Start recording';
  }
}

function cameraTrouble(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError')
    return 'The browser was not allowed to use camera and microphone. Allow it and try again.';
  if (name === 'NotFoundError') return 'No camera or no microphone was found. Choose a clip instead.';
  if (name === 'NotReadableError') return 'The camera is in use by another program. Close that and try again.';
  return 'The camera could not be opened. Choose a clip instead.';
}
