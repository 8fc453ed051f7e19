"""Preprocessing as the PyTorch reference system does it, one clip a request, for benchmarks.

    python preprocess.py THREADS

Reads one JSON object a line from stdin, {"clip": PATH, "mel": PATH or null}, and answers each with one line on stdout:
seconds in all and by stage, trimmed samples, mel frames, crops, and the detections by mel frame. `mel` is where the
normalised spectrogram is written. That, like the loading of the models, is outside of the measured time.

The rules: sound by moviepy at 16 kHz, first channel; trim; Wiener filter; STFT; mel bank on the complex STFT. For each
mel frame the picture at its time; MTCNN on every fourth one, all of them in one batch; every face cropped and
stretched to 224 x 224, a black picture where there is none.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import cv2
import librosa
import numpy as np
import scipy.signal
import torch
from facenet_pytorch import MTCNN
from moviepy.editor import VideoFileClip

RATE = 16000
FFT, HOP, BANDS = 512, 256, 128
DETECT_EVERY = 4
SIDE = 224
AUDIO_CHUNK = 50000


class Stopwatch:
    """Seconds between calls, by name."""

    def __init__(self):
        self.seconds = {}
        self.last = time.perf_counter()

    def stop(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = now - self.last
        self.last = now


def read_sound(clip: VideoFileClip) -> np.ndarray:
    # to_soundarray hands np.vstack a generator, which NumPy no longer takes: its chunks are the same.
    chunks = clip.audio.iter_chunks(fps=RATE, quantize=False, nbytes=2, chunksize=AUDIO_CHUNK)
    return np.vstack(list(chunks))[:, 0]


def log_mel(sound: np.ndarray) -> tuple[np.ndarray, int, int]:
    """(128, T) in [0, 1], and the first and one-past-last sample that count."""
    trimmed, (start, end) = librosa.effects.trim(sound, top_db=20, frame_length=FFT, hop_length=HOP)
    filtered = scipy.signal.wiener(np.where(trimmed == 0, 1e-10, trimmed))
    stft = librosa.stft(filtered, n_fft=FFT, hop_length=HOP)
    bank = librosa.filters.mel(sr=RATE, n_fft=FFT, n_mels=BANDS, fmin=80, fmax=8000)
    decibels = librosa.amplitude_to_db(np.abs(bank @ stft), ref=1.0, amin=1e-5, top_db=80)
    return (1 + librosa.util.normalize(decibels, axis=0)) / 2, int(start), int(end)


def crop_faces(frames: list[np.ndarray], detections: list) -> np.ndarray:
    """(crops, 3, 224, 224) bytes."""
    crops = []
    for index, frame in enumerate(frames):
        boxes = detections[index // DETECT_EVERY]
        if boxes is None:
            # Bytes, though the reference makes it of float64, which makes the whole stack eight times as large.
            crops.append(np.zeros((SIDE, SIDE, 3), np.uint8))
            continue
        for x1, y1, x2, y2 in boxes.astype(int):
            face = frame[y1:y2, x1:x2]
            if face.size:
                crops.append(cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR))
    return np.stack(crops).transpose(0, 3, 1, 2)


def create_detector() -> MTCNN:
    return MTCNN(min_face_size=20, thresholds=[0.6, 0.7, 0.7], factor=0.6, margin=14, keep_all=True)


def preprocess(path: str, detector: MTCNN) -> tuple[np.ndarray, np.ndarray, dict]:
    """The spectrogram (128, T) in [0, 1], the crops (N, 3, 224, 224) as bytes, and what is to be told of them."""
    watch = Stopwatch()
    clip = VideoFileClip(path)
    sound = read_sound(clip)
    watch.stop("sound")
    mel, start, end = log_mel(sound)
    count = mel.shape[1]
    watch.stop("audio")
    frames = [clip.get_frame((start + (end - start) * i / count) / RATE) for i in range(count)]
    watch.stop("pictures")
    boxes, probabilities = detector.detect(frames[::DETECT_EVERY])
    watch.stop("detection")
    crops = crop_faces(frames, boxes)
    clip.close()
    watch.stop("crops")
    return mel, crops, {
        "seconds": sum(watch.seconds.values()),
        "stages": watch.seconds,
        "trim": [start, end],
        "melFrames": count,
        "crops": len(crops),
        "detections": [
            {"melFrame": i * DETECT_EVERY, "boxes": found.tolist(), "probabilities": certain.tolist()}
            if found is not None
            else {"melFrame": i * DETECT_EVERY, "boxes": [], "probabilities": []}
            for i, (found, certain) in enumerate(zip(boxes, probabilities))
        ],
    }


def main(threads: int) -> None:
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    warnings.simplefilter("ignore")
    detector = create_detector()
    for line in sys.stdin:
        request = json.loads(line)
        mel, _, report = preprocess(request["clip"], detector)
        if request["mel"]:
            np.save(request["mel"], mel.astype(np.float32))
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
