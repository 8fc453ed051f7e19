// AssemblyScript: the loops over pixels, compiled to WebAssembly. A 128-bit value holds the red, green and blue of a
// pixel at once (the fourth lane means nothing), which makes them several times as fast as JavaScript's. Addresses are
// bytes of the module's memory, which ../pixel-memory.ts lays out. "Pixels" are 4 bytes each: R, G, B and nothing.
export { areas, sums } from './areas';
export { blend, blendFixed, halve, line, lineFixed } from './crops';
export { pixelsOfRgb, pixelsOfYuv } from './pixels';
