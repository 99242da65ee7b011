/* A photograph made small enough to travel and judged before it does. Everything happens on the device. */

export const MAX_BYTES = 200 * 1024;
export const MAX_PDF = 20 * 1024 * 1024;
/* 1440 px on the long side of a booklet page (about 143 mm) is 255 dpi: 6-point print still reads at 200 %. */
const SIDES = [2000, 1800, 1600, 1440];
const LEAST_SIDE = 700;
const DARK = 55;
const BLUR = 40;

export type Doubt = "blur" | "dark" | "small";
export const DOUBT_WORDS: Record<Doubt, string> = {
  blur: "有点模糊，上面的小字看得清吗？",
  dark: "有点暗，换到亮一点的地方拍会更清楚",
  small: "照片太小，小字可能看不清",
};

export interface Taken { blob: Blob; type: "image/jpeg" | "image/png" | "application/pdf"; doubts: Doubt[] }
export class FileRefused extends Error {}

type Picture = ImageBitmap | HTMLImageElement;
const NOT_A_PICTURE = "这个文件打不开，或者不是图片、PDF，请重新拍照";

async function head(file: Blob): Promise<Uint8Array> {
  return new Uint8Array(await new Response(file.slice(0, 12)).arrayBuffer());
}

function isPdf(b: Uint8Array): boolean {
  return b[0] === 0x25 && b[1] === 0x50 && b[2] === 0x44 && b[3] === 0x46;
}

function throughElement(file: Blob): Promise<Picture> {
  return new Promise((resolve, reject) => {
    const img = new Image();
    const url = URL.createObjectURL(file);
    img.onload = () => { URL.revokeObjectURL(url); resolve(img); };
    img.onerror = () => { URL.revokeObjectURL(url); reject(new FileRefused(NOT_A_PICTURE)); };
    img.src = url;
  });
}

/* HEIC opens wherever the system's own decoder is reachable; elsewhere the person is asked to photograph. */
export async function decode(file: Blob): Promise<Picture> {
  if (typeof createImageBitmap === "function") {
    try {
      return await createImageBitmap(file, { imageOrientation: "from-image" } as ImageBitmapOptions);
    } catch { /* an older engine without the option, or a format only the element knows */ }
  }
  return throughElement(file);
}

export function draw(p: Picture, side: number, canvas = document.createElement("canvas")): HTMLCanvasElement {
  const scale = Math.min(1, side / Math.max(p.width, p.height));
  canvas.width = Math.max(1, Math.round(p.width * scale));
  canvas.height = Math.max(1, Math.round(p.height * scale));
  const c = canvas.getContext("2d")!;
  c.fillStyle = "#fff";
  c.fillRect(0, 0, canvas.width, canvas.height);
  c.imageSmoothingQuality = "high";
  c.drawImage(p, 0, 0, canvas.width, canvas.height);
  return canvas;
}

const encode = (c: HTMLCanvasElement, q: number): Promise<Blob> =>
  new Promise((resolve, reject) => c.toBlob((b) => (b ? resolve(b) : reject(new FileRefused(NOT_A_PICTURE))), "image/jpeg", q));

/* The best quality that fits at this size, or null when even the poorest legible one does not. */
async function fit(c: HTMLCanvasElement, last: boolean): Promise<Blob | null> {
  let best = await encode(c, last ? 0.3 : 0.45);
  if (best.size > MAX_BYTES) return last ? best : null;
  for (let low = 0.45, high = 0.9, i = 0; i < 4; i++) {
    const q = (low + high) / 2;
    const b = await encode(c, q);
    if (b.size <= MAX_BYTES) { best = b; low = q; } else high = q;
  }
  return best;
}

async function compress(p: Picture): Promise<Blob> {
  for (const side of SIDES) {
    const b = await fit(draw(p, side), side === SIDES[SIDES.length - 1]);
    if (b) return b;
  }
  throw new FileRefused(NOT_A_PICTURE);
}

function greys(p: Picture): { g: Float32Array; w: number; h: number; mean: number } {
  const c = draw(p, 1000);
  const { data } = c.getContext("2d")!.getImageData(0, 0, c.width, c.height);
  const g = new Float32Array(c.width * c.height);
  let sum = 0;
  for (let i = 0; i < g.length; i++) {
    g[i] = 0.299 * data[4 * i]! + 0.587 * data[4 * i + 1]! + 0.114 * data[4 * i + 2]!;
    sum += g[i]!;
  }
  return { g, w: c.width, h: c.height, mean: sum / g.length };
}

/* Edge strength of the sharpest tenth of the tiles: a page is mostly blank, so its print decides, not its average. */
function sharpness(g: Float32Array, w: number, h: number): number {
  const tile = 50;
  const found: number[] = [];
  for (let y0 = 1; y0 + tile < h; y0 += tile) {
    for (let x0 = 1; x0 + tile < w; x0 += tile) {
      let sum = 0, square = 0;
      for (let y = y0; y < y0 + tile; y++) {
        for (let x = x0; x < x0 + tile; x++) {
          const i = y * w + x;
          const v = g[i - 1]! + g[i + 1]! + g[i - w]! + g[i + w]! - 4 * g[i]!;
          sum += v;
          square += v * v;
        }
      }
      const n = tile * tile;
      found.push(square / n - (sum / n) * (sum / n));
    }
  }
  found.sort((a, b) => b - a);
  return found[Math.floor(found.length / 10)] || 0;
}

export function judge(p: Picture): Doubt[] {
  const { g, w, h, mean } = greys(p);
  const out: Doubt[] = [];
  if (Math.min(p.width, p.height) < LEAST_SIDE) out.push("small");
  if (mean < DARK) out.push("dark");
  else if (sharpness(g, w, h) < BLUR) out.push("blur");
  return out;
}

export async function take(file: Blob): Promise<Taken> {
  if (isPdf(await head(file))) {
    if (file.size > MAX_PDF) throw new FileRefused("这个文件超过 20 MB，请拆开或重新拍照");
    return { blob: file, type: "application/pdf", doubts: [] };
  }
  const p = await decode(file);
  const doubts = judge(p);
  const blob = await compress(p);
  if ("close" in p) p.close();
  return { blob, type: "image/jpeg", doubts };
}
