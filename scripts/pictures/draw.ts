/** Draws a deployed bridge: a panel for each side, boxes on a grid, arrows between them. Pure. */

export type Side = "source" | "destination";

export interface Box {
  /** Logical name in the plan, without the bridge's name. */
  id: string;
  side: Side;
  column: 0 | 1;
  row: number;
  service: string;
  title: string;
  /** The end of its name in the account. */
  name: string;
}

type Edge = "left" | "right" | "top" | "bottom";

export interface Arrow {
  from: readonly [id: string, edge: Edge, offset?: number];
  to: readonly [id: string, edge: Edge, offset?: number];
  /** Where it bends: `x` or `y` of the next piece, in pixels of the picture. */
  via?: readonly ({ x: number } | { y: number })[];
  kind: "work" | "trouble" | "bytes";
  label?: { text: string; x: number; y: number; anchor?: "start" | "middle" | "end" };
}

export interface Picture {
  title: string;
  description: string;
  panels: Readonly<Record<Side, string>>;
  rows: number;
  boxes: readonly Box[];
  arrows: readonly Arrow[];
  /** Lines under the panels. */
  notes: readonly string[];
}

const WIDTH = 1060;
const PANEL = { x: { source: 16, destination: 564 }, y: 46, width: 480 } as const;
const BOX = { width: 192, height: 62, left: 20, gap: 40, top: 50, pitch: 88 } as const;

/** Places of the columns, for the bends of arrows. */
export const GAP_X: Readonly<Record<Side, number>> = {
  source: PANEL.x.source + BOX.left + BOX.width + BOX.gap / 2,
  destination: PANEL.x.destination + BOX.left + BOX.width + BOX.gap / 2,
};
/** Right of the second column, inside the panel. */
export const OUTER_X: Readonly<Record<Side, number>> = {
  source: PANEL.x.source + PANEL.width - 8,
  destination: PANEL.x.destination + PANEL.width - 8,
};
/** Above the first row, inside the panel. */
export const TOP_Y = PANEL.y + 22;
export const BORDER_X = (PANEL.x.source + PANEL.width + PANEL.x.destination) / 2;

export const cornerOf = ({ side, column, row }: Pick<Box, "side" | "column" | "row">): { x: number; y: number } => ({
  x: PANEL.x[side] + BOX.left + column * (BOX.width + BOX.gap),
  y: PANEL.y + BOX.top + row * BOX.pitch,
});
/** The middle of a row. */
export const rowY = (row: number): number => cornerOf({ side: "source", column: 0, row }).y + BOX.height / 2;

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const STYLE = `
    .ground { fill: #fbfcfe; stroke: #c3ccd8 } .panel { fill: #eef3fa; stroke: #9fb3cd } .border { stroke: #8a96a6 }
    .box { fill: #ffffff; stroke: #5d7595 } .store { fill: #fdf1e7; stroke: #c2571a } .trouble { stroke-dasharray: 5 4 }
    .head { fill: #1d2733 } .name { fill: #4a586a } .service { fill: #3f6296 } .store-service { fill: #8f3c0c }
    .line { stroke: #3d4a5c } .tip { fill: #3d4a5c } .bytes { stroke: #c2571a } .bytes-tip { fill: #c2571a }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #151b23; stroke: #3d4653 } .panel { fill: #1c2530; stroke: #3f5270 } .border { stroke: #6b7787 }
      .box { fill: #232d3a; stroke: #7d97bb } .store { fill: #33251b; stroke: #e08a54 }
      .head { fill: #eef2f7 } .name { fill: #b3bfcd } .service { fill: #9dbcec } .store-service { fill: #f0b48d }
      .line { stroke: #b3bfcd } .tip { fill: #b3bfcd } .bytes { stroke: #e08a54 } .bytes-tip { fill: #e08a54 }
    }`;

export function draw(picture: Picture): string {
  const panelHeight = BOX.top + picture.rows * BOX.pitch - (BOX.pitch - BOX.height) + 20;
  const height = PANEL.y + panelHeight + 20 + 19 * picture.notes.length;
  const byId = new Map(picture.boxes.map((box) => [box.id, box]));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif">
  <title id="title">${escaped(picture.title)}</title>
  <desc id="description">${escaped(picture.description)}</desc>
  <style>${STYLE}
  </style>
  <defs>
    <marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0 10 5 0 10z"/></marker>
    <marker id="byte-tip" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="4" markerHeight="4" orient="auto"><path class="bytes-tip" d="M0 0 10 5 0 10z"/></marker>
  </defs>
  <rect class="ground" x="1" y="1" width="${WIDTH - 2}" height="${height - 2}" rx="12" fill="#fbfcfe"/>
${(["source", "destination"] as const).map((side) => panel(side, picture.panels[side], panelHeight)).join("\n")}
  <path class="border" d="M${BORDER_X} 16V${PANEL.y + panelHeight}" fill="none" stroke-width="2" stroke-dasharray="3 7" stroke-linecap="round"/>
${picture.arrows.map((arrow) => line(arrow, byId)).join("\n")}
${picture.boxes.map(boxText).join("\n")}
${picture.arrows.flatMap(({ label }) => (label ? [labelText(label)] : [])).join("\n")}
${picture.notes.map((note, index) => `  <text class="name" x="20" y="${PANEL.y + panelHeight + 24 + 19 * index}" font-size="13">${escaped(note)}</text>`).join("\n")}
</svg>
`;
}

const panel = (side: Side, title: string, height: number): string =>
  `  <rect class="panel" x="${PANEL.x[side]}" y="${PANEL.y}" width="${PANEL.width}" height="${height}" rx="10"/>
  <text class="head" x="${PANEL.x[side] + 4}" y="34" font-size="15" font-weight="600">${escaped(title)}</text>`;

const isStore = ({ service }: Box): boolean => /\b(S3|OSS)\b/.test(service);

function boxText(box: Box): string {
  const { x, y } = cornerOf(box);
  const kind = isStore(box) ? "store" : "box";
  return `  <g>
    <rect class="${kind}" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="8" stroke-width="1.5"/>
    <text class="${isStore(box) ? "store-service" : "service"}" x="${x + 10}" y="${y + 16}" font-size="11">${escaped(box.service)}</text>
    <text class="head" x="${x + 10}" y="${y + 35}" font-size="14" font-weight="600">${escaped(box.title)}</text>
    <text class="name" x="${x + 10}" y="${y + 52}" font-size="10.5">${escaped(box.name)}</text>
  </g>`;
}

function pointOf([id, edge, offset = 0]: Arrow["from"], byId: ReadonlyMap<string, Box>): { x: number; y: number } {
  const box = byId.get(id);
  if (box === undefined) throw new Error(`the picture has no box ${id}`);
  const { x, y } = cornerOf(box);
  switch (edge) {
    case "left":
      return { x, y: y + BOX.height / 2 + offset };
    case "right":
      return { x: x + BOX.width, y: y + BOX.height / 2 + offset };
    case "top":
      return { x: x + BOX.width / 2 + offset, y };
    case "bottom":
      return { x: x + BOX.width / 2 + offset, y: y + BOX.height };
  }
}

function line({ from, to, via = [], kind }: Arrow, byId: ReadonlyMap<string, Box>): string {
  const start = pointOf(from, byId);
  const end = pointOf(to, byId);
  const bends = via.map((bend) => ("x" in bend ? `H${bend.x}` : `V${bend.y}`)).join("");
  const isFlat = to[1] === "left" || to[1] === "right";
  // The last piece arrives at a right angle.
  const last = isFlat ? `V${end.y}H${end.x}` : `H${end.x}V${end.y}`;
  const looks =
    kind === "bytes"
      ? 'class="bytes" stroke-width="4" stroke-linejoin="round" marker-end="url(#byte-tip)"'
      : `class="line${kind === "trouble" ? " trouble" : ""}" stroke-width="1.6" marker-end="url(#tip)"`;
  return `  <path ${looks} fill="none" d="M${start.x} ${start.y}${bends}${last}"/>`;
}

const labelText = ({ text, x, y, anchor = "middle" }: NonNullable<Arrow["label"]>): string =>
  `  <text class="head" x="${x}" y="${y}" font-size="11.5" text-anchor="${anchor}">${escaped(text)}</text>`;
