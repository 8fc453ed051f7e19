import { expect, test } from 'vitest';
import { timelineCsv, timelineFiles, timelineVtt } from '../../cli/predict-timelines.js';
import { verdict } from '../../serving/engine/build-answer.js';

const scores = [0.04, 0.04, 0.04, 0.04, 0.04, 0.3, 0.5];
const entry = (start: number, end: number) => ({
  ...{ start, end, ...verdict(scores) },
  modalities: { face: verdict(scores) },
});
const TIMELINE = [entry(0, 2), entry(1, 3), entry(3661.5, 3663.5)];

test('a timeline in CSV has a line for each window', () => {
  expect(timelineCsv(TIMELINE).split('\n').slice(0, 2)).toEqual([
    'start,end,emotion,hap,ang,dis,fea,sad,neu,sur,face,speech,text',
    '0.000,2.000,sur,0.040000,0.040000,0.040000,0.040000,0.040000,0.300000,0.500000,sur,,',
  ]);
});

test('captions in WebVTT follow each other without overlap', () => {
  expect(timelineVtt(TIMELINE)).toBe(`WEBVTT

00:00:00.000 --> 00:00:01.000
sur 0.50 (face sur)

00:00:01.000 --> 00:00:03.000
sur 0.50 (face sur)

01:01:01.500 --> 01:01:03.500
sur 0.50 (face sur)
`);
});

test('one clip has the file that is named, several have one each in a folder', () => {
  const [a, b] = [{ clip: 'x/a.mp4' }, { clip: 'y/b.mp4' }];
  expect(timelineFiles('t.vtt', [a], 'csv')).toEqual(['t.vtt']);
  expect(timelineFiles('out', [a, b], 'csv')).toEqual(['out/a.mp4.csv', 'out/b.mp4.csv']);
  expect(() => timelineFiles('out', [a, { clip: 'y/a.mp4' }], 'vtt')).toThrow(/out\/a\.mp4\.vtt/);
});
