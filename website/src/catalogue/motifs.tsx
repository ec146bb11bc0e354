import type { ReactNode } from 'react';
import { hash } from '../lib/hash.ts';

/** Line drawings on a canvas of 320 × 200, one a category. `random` is a row of numbers that the product decides. */
export type Motif = (random: () => number) => ReactNode;

const CX = 160;
const CY = 100;
const polar = (radius: number, angle: number): [number, number] => [CX + radius * Math.cos(angle), CY + radius * Math.sin(angle)];
const round = (value: number) => Math.round(value * 10) / 10;
const range = (length: number) => Array.from({ length }, (_, index) => index);

const waves: Motif = (random) => {
  const start = random() * Math.PI;
  return (
    <>
      {range(5).map((ring) => {
        const radius = 16 + ring * 16;
        const [ax, ay] = polar(radius, start + ring * 0.35);
        const [bx, by] = polar(radius, start + ring * 0.35 + 3.6 - ring * 0.3);
        return <path key={ring} d={`M${round(ax)} ${round(ay)}A${radius} ${radius} 0 1 1 ${round(bx)} ${round(by)}`} opacity={1 - ring * 0.15} />;
      })}
      <circle cx={CX} cy={CY} r="6" fill="currentColor" stroke="none" />
    </>
  );
};

const chip: Motif = (random) => {
  const pins = range(5);
  return (
    <>
      <rect x="116" y="56" width="88" height="88" rx="12" />
      <rect x="136" y="76" width="48" height="48" rx="6" opacity=".6" />
      {pins.map((pin) => {
        const at = 68 + pin * 16;
        const out = 20 + Math.round(random() * 3) * 14;
        const bend = (random() > 0.5 ? 1 : -1) * 12;
        return (
          <g key={pin} opacity={0.35 + random() * 0.5}>
            <path d={`M116 ${at}h-${out}l-12 ${bend}h-14`} />
            <path d={`M204 ${at}h${out}l12 ${bend}h14`} />
            <circle cx={116 - out - 30} cy={at + bend} r="3" />
            <circle cx={204 + out + 30} cy={at + bend} r="3" />
          </g>
        );
      })}
      <circle cx={148 + random() * 24} cy={88 + random() * 24} r="5" fill="currentColor" stroke="none" />
    </>
  );
};

const bloch: Motif = (random) => {
  const [x, y] = polar(64 * (0.6 + random() * 0.35), -Math.PI * (0.15 + random() * 0.7));
  return (
    <>
      <circle cx={CX} cy={CY} r="68" />
      <ellipse cx={CX} cy={CY} rx="68" ry="20" opacity=".55" />
      <ellipse cx={CX} cy={CY} rx="24" ry="68" opacity=".35" transform={`rotate(${round(random() * 40 - 20)} ${CX} ${CY})`} />
      <path d={`M${CX} 18V182`} strokeDasharray="3 5" opacity=".5" />
      <path d={`M${CX} ${CY}L${round(x)} ${round(y)}`} strokeWidth="3" />
      <circle cx={round(x)} cy={round(y)} r="6" fill="currentColor" stroke="none" />
    </>
  );
};

const arm: Motif = (random) => {
  const first = -Math.PI / 2 - 0.7 + random() * 0.9;
  const second = first + 0.6 + random() * 0.9;
  const joint: [number, number] = [128 + 70 * Math.cos(first), 160 + 70 * Math.sin(first)];
  const hand: [number, number] = [joint[0] + 64 * Math.cos(second), joint[1] + 64 * Math.sin(second)];
  const [jx, jy, hx, hy] = [...joint, ...hand].map(round) as [number, number, number, number];
  return (
    <>
      <path d="M84 172h152" opacity=".4" />
      <path d="M108 172l8-14h24l8 14z" />
      <path d={`M128 158L${jx} ${jy}L${hx} ${hy}`} strokeWidth="8" opacity=".3" strokeLinejoin="round" />
      <path d={`M128 158L${jx} ${jy}L${hx} ${hy}`} strokeLinejoin="round" />
      <circle cx="128" cy="158" r="7" fill="var(--tile)" />
      <circle cx={jx} cy={jy} r="8" fill="var(--tile)" />
      <circle cx={hx} cy={hy} r="5" fill="currentColor" stroke="none" />
      <path d={`M${hx} ${hy}m-4 -16a16 16 0 0 1 20 16`} opacity=".7" />
    </>
  );
};

const horizon: Motif = (random) => {
  const sun = 120 + random() * 80;
  return (
    <>
      <circle cx={round(sun)} cy="88" r="36" fill="currentColor" opacity=".16" stroke="none" />
      <path d={`M${round(sun - 36)} 104a36 36 0 0 1 72 0`} />
      {range(6).map((row) => (
        <path key={row} d={`M0 ${round(104 + row * row * 3.4 + row * 3)}H320`} opacity={0.25 + row * 0.1} />
      ))}
      {range(13).map((column) => (
        <path key={column} d={`M${round(160 + (column - 6) * 14)} 104L${160 + (column - 6) * 62} 200`} opacity=".35" />
      ))}
    </>
  );
};

const neurons: Motif = (random) => {
  const layers = [3, 5, 4, 2].map((size, layer) =>
    range(size).map((index): [number, number] => [70 + layer * 60, round(100 + (index - (size - 1) / 2) * 30 + random() * 8 - 4)]),
  );
  return (
    <>
      {layers.slice(0, -1).flatMap((layer, index) =>
        layer.flatMap(([ax, ay], from) =>
          (layers[index + 1] ?? []).map(([bx, by], to) => (
            <path key={`${index}.${from}.${to}`} d={`M${ax} ${ay}L${bx} ${by}`} opacity={0.08 + random() * 0.4} />
          )),
        ),
      )}
      {layers.flat().map(([x, y]) => (
        <circle key={`${x}.${y}`} cx={x} cy={y} r="6" fill={random() > 0.6 ? 'currentColor' : 'var(--tile)'} />
      ))}
    </>
  );
};

const mesh: Motif = (random) => {
  const hexagon = (x: number, y: number) =>
    `M${range(6).map((corner) => `${round(x + 24 * Math.cos((corner * Math.PI) / 3))} ${round(y + 24 * Math.sin((corner * Math.PI) / 3))}`).join('L')}Z`;
  return range(15).map((cell) => {
    const column = cell % 5;
    const x = 76 + column * 42;
    const y = 52 + Math.floor(cell / 5) * 48 + (column % 2) * 24;
    const lit = random();
    return <path key={cell} d={hexagon(x, y)} opacity={lit > 0.55 ? 0.9 : 0.25} fill={lit > 0.82 ? 'currentColor' : 'none'} fillOpacity=".3" />;
  });
};

const curve: Motif = (random) => {
  const a = 2 + Math.floor(random() * 3);
  const [b, shift] = [a + 1, 0.3 + random()];
  const line = (size: number) =>
    `M${range(121)
      .map((step) => (step / 120) * 2 * Math.PI)
      .map((t) => `${round(CX + size * 1.5 * Math.sin(a * t + shift))} ${round(CY + size * Math.sin(b * t))}`)
      .join('L')}`;
  return (
    <>
      <path d={line(68)} />
      <path d={line(44)} opacity=".35" />
      <circle cx={CX} cy={CY} r="4" fill="currentColor" stroke="none" />
    </>
  );
};

const MOTIFS: Partial<Record<string, { motif: Motif; hue: number }>> = {
  'AI Consumer Products': { motif: waves, hue: 152 },
  'AI Components': { motif: chip, hue: 190 },
  'Quantum Computing': { motif: bloch, hue: 268 },
  Robotics: { motif: arm, hue: 38 },
  'Virtual Reality': { motif: horizon, hue: 325 },
  'Neural Interfaces': { motif: neurons, hue: 220 },
  'Edge Computing': { motif: mesh, hue: 95 },
  'Learning Labs': { motif: curve, hue: 12 },
};

const OTHERS = [curve, mesh, waves, neurons];

/** The drawing and hue of a category; one that we have no drawing for gets both from its name. */
export function motifOf(category: string | null): { motif: Motif; hue: number } {
  const seed = hash(category ?? '');
  return MOTIFS[category ?? ''] ?? { motif: OTHERS[seed % OTHERS.length] ?? curve, hue: seed % 360 };
}
