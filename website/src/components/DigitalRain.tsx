import { useEffect, useRef } from 'react';
import { sequence } from '../lib/hash.ts';

// What every machine has letters for.
const GLYPHS = '0123456789ZXKRE:.=*+<>|7T1';
const CELL = 16;
const FRAME_MS = 90;

/** The film's rain: decoration, slow, and still where motion is unwelcome or nobody looks. */
export function DigitalRain({ className }: { className: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return undefined;
    const random = sequence(1999);
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    let drops: { at: number; speed: number; length: number }[] = [];
    let seen = true;

    const size = () => {
      const { width, height } = element.getBoundingClientRect();
      const scale = Math.min(devicePixelRatio, 2);
      element.width = Math.round(width * scale);
      element.height = Math.round(height * scale);
      context.setTransform(scale, 0, 0, scale, 0, 0);
      const rows = height / CELL;
      drops = Array.from({ length: Math.ceil(width / CELL) }, () => ({
        at: random() * (rows + 14), speed: 0.25 + random() * 0.55, length: 5 + Math.floor(random() * 10),
      }));
      draw();
    };

    const draw = () => {
      const { width, height } = element.getBoundingClientRect();
      context.clearRect(0, 0, width, height);
      context.font = `${String(CELL - 3)}px monospace`;
      context.fillStyle = getComputedStyle(element).color;
      for (const [column, drop] of drops.entries()) {
        for (let back = 0; back < drop.length; back += 1) {
          const row = Math.floor(drop.at) - back;
          if (row < 0) continue;
          context.globalAlpha = (1 - back / drop.length) * (back === 0 ? 1 : 0.6);
          context.fillText(GLYPHS[(column * 31 + row * 17 + (back === 0 ? Math.floor(drop.at * 3) : 0)) % GLYPHS.length] ?? '', column * CELL, row * CELL);
        }
        drop.at += drop.speed;
        if ((drop.at - drop.length) * CELL > height) drop.at = -random() * 8;
      }
    };

    const observer = new IntersectionObserver(([entry]) => {
      seen = entry?.isIntersecting ?? true;
    });
    const resizer = new ResizeObserver(size);
    observer.observe(element);
    resizer.observe(element);
    const timer = still
      ? undefined
      : setInterval(() => {
          if (seen && document.visibilityState === 'visible') draw();
        }, FRAME_MS);
    return () => {
      clearInterval(timer);
      observer.disconnect();
      resizer.disconnect();
    };
  }, []);

  return <canvas ref={canvas} aria-hidden="true" className={className} />;
}
