// The plane of a map: points coloured by folder, and the pictures themselves where there is room
// for them. Wheel, pinch and keys zoom. The server's page uses it (map.js), and so does the file
// that `imgsearch map -o map.html` writes.
//
//	const plane = makePlane(canvas, { source, hover, pick });
//	plane.show({ folders: ["a", ...], points: [[id, x, y, folder], ...] }, list);
//
// x and y are from 0 to 1. source(id): the address of a small picture, "" for none.
// hover(point, x, y): the pointer is at a point (null: at none), at x, y of the canvas.
// pick(id): a picture was clicked. list: an element that becomes the legend.

const COLORS = [
	"#4385d6",
	"#d9663b",
	"#3fa66b",
	"#a866c9",
	"#d1a021",
	"#2aa7a7",
	"#d65a86",
	"#7d8f2c",
	"#6d6fd0",
	"#b3714a",
	"#5c9bb8",
	"#c24f4f",
];
const PICTURE = 56; // side of a picture, CSS pixels
const AT_ONCE = 12; // pictures that are loaded at the same time
const STEPS = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
const NAMES = 40; // folders in the legend

export function makePlane(canvas, { source, hover, pick }) {
	const context = canvas.getContext("2d");
	let data = null,
		colorOf = [];
	let scale = 1,
		left = 0,
		top = 0; // of the map's unit square, in CSS pixels
	let pending = 0,
		hovered = null,
		drawPlanned = false;
	const hidden = new Set(),
		pictures = new Map();

	const size = () => [canvas.clientWidth, canvas.clientHeight];
	const at = p => [p[1] * scale + left, p[2] * scale + top];

	function plan() {
		if (drawPlanned) return;
		drawPlanned = true;
		requestAnimationFrame(draw);
	}

	function fit() {
		const [w, h] = size(),
			pad = 24;
		const xs = data.points.map(p => p[1]),
			ys = data.points.map(p => p[2]);
		const least = list => list.reduce((a, b) => Math.min(a, b), 1);
		const most = list => list.reduce((a, b) => Math.max(a, b), 0);
		const [x0, x1, y0, y1] = [least(xs), most(xs), least(ys), most(ys)];
		scale = Math.min((w - 2 * pad) / (x1 - x0 || 1), (h - 2 * pad) / (y1 - y0 || 1));
		left = (w - (x0 + x1) * scale) / 2;
		top = (h - (y0 + y1) * scale) / 2;
		plan();
	}

	function zoom(by, x = size()[0] / 2, y = size()[1] / 2) {
		by = Math.min(Math.max(scale * by, 100), 400000) / scale;
		scale *= by;
		left = x + (left - x) * by;
		top = y + (top - y) * by;
		plan();
	}

	// ------------------------------------------------------------------------------- drawing

	// The picture when it has been loaded; else null, and it is loaded.
	function pictureOf(id) {
		let picture = pictures.get(id);
		if (!picture && pending < AT_ONCE && source(id)) {
			picture = new Image();
			pictures.set(id, picture);
			pending++;
			picture.onload = picture.onerror = () => {
				pending--;
				plan();
			};
			picture.src = source(id);
		}
		return picture?.complete && picture.naturalWidth ? picture : null;
	}

	function drawPicture(picture, x, y) {
		const from = Math.min(picture.naturalWidth, picture.naturalHeight),
			half = PICTURE / 2;
		context.beginPath();
		context.roundRect(x - half - 2, y - half - 2, PICTURE + 4, PICTURE + 4, 8);
		context.fill();
		context.save();
		context.beginPath();
		context.roundRect(x - half, y - half, PICTURE, PICTURE, 6);
		context.clip();
		context.drawImage(
			picture,
			(picture.naturalWidth - from) / 2,
			(picture.naturalHeight - from) / 2,
			from,
			from,
			x - half,
			y - half,
			PICTURE,
			PICTURE,
		);
		context.restore();
	}

	function drawDot(x, y, radius) {
		context.beginPath();
		context.arc(x, y, radius, 0, 7);
		context.fill();
	}

	function drawRing(p, radius) {
		context.strokeStyle = getComputedStyle(canvas).color;
		context.lineWidth = 2;
		context.beginPath();
		context.arc(...at(p), radius, 0, 7);
		context.stroke();
	}

	function clear() {
		const [w, h] = size(),
			ratio = devicePixelRatio || 1;
		if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
			canvas.width = Math.round(w * ratio);
			canvas.height = Math.round(h * ratio);
		}
		context.setTransform(ratio, 0, 0, ratio, 0, 0);
		context.clearRect(0, 0, w, h);
	}

	function draw() {
		drawPlanned = false;
		if (!data || canvas.hidden) return;
		clear();
		const [w, h] = size();
		const seen = data.points.filter(p => {
			const [x, y] = at(p);
			const inside = x > -PICTURE && y > -PICTURE && x < w + PICTURE && y < h + PICTURE;
			return inside && !hidden.has(p[3]);
		});
		// Pictures where there is room for most of them, each in its own cell of a coarse grid.
		// Points for the rest.
		const near = seen.length * PICTURE * PICTURE < 2.2 * w * h && seen.length < 900;
		const taken = new Set(),
			room = Math.sqrt((w * h) / Math.max(data.points.length, 1));
		const radius = Math.min(Math.max(1.6, room / 7), 5);
		context.globalAlpha = near ? 1 : 0.8;
		for (const p of seen) {
			const [x, y] = at(p),
				cell = Math.floor(x / PICTURE) + ":" + Math.floor(y / PICTURE);
			const picture = near && !taken.has(cell) ? pictureOf(p[0]) : null;
			context.fillStyle = colorOf[p[3]];
			if (picture) {
				taken.add(cell);
				drawPicture(picture, x, y);
			} else {
				drawDot(x, y, radius);
			}
		}
		context.globalAlpha = 1;
		if (hovered) drawRing(hovered, radius + 4);
		if (near && pending) plan();
	}

	// --------------------------------------------------------------------- pointers and keys

	function nearest(x, y, within) {
		let best = null,
			least = within * within;
		for (const p of data.points) {
			if (hidden.has(p[3])) continue;
			const [px, py] = at(p),
				d = (px - x) ** 2 + (py - y) ** 2;
			if (d < least) {
				least = d;
				best = p;
			}
		}
		return best;
	}

	function setHovered(p, x, y) {
		if (p === hovered) return;
		hovered = p;
		canvas.style.cursor = p ? "pointer" : "grab";
		hover(p, x, y);
		plan();
	}

	const fingers = new Map(); // where each pointer that is down was last
	let moved = 0;

	function place(e) {
		const box = canvas.getBoundingClientRect();
		return [e.clientX - box.left, e.clientY - box.top];
	}

	function move(e) {
		const to = place(e),
			from = fingers.get(e.pointerId);
		if (!data) return;
		if (!from) return setHovered(nearest(...to, 24), ...to);
		moved += Math.hypot(to[0] - from[0], to[1] - from[1]);
		if (fingers.size === 1) {
			left += to[0] - from[0];
			top += to[1] - from[1];
		} else {
			const other = [...fingers].find(([id]) => id !== e.pointerId)[1];
			const distance = from => Math.hypot(from[0] - other[0], from[1] - other[1]);
			zoom(distance(to) / Math.max(distance(from), 1), ...other);
		}
		fingers.set(e.pointerId, to);
		plan();
	}

	function release(e) {
		fingers.delete(e.pointerId);
		const p = e.type === "pointerup" && moved < 5 && data ? nearest(...place(e), 28) : null;
		if (p) pick(p[0]);
	}

	function pickMiddle() {
		const [w, h] = size(),
			p = nearest(w / 2, h / 2, 1e9);
		if (p) pick(p[0]);
	}

	function key(e) {
		const step = STEPS[e.key];
		if (!data) return;
		if (step) {
			left += step[0];
			top += step[1];
			plan();
		} else if (e.key === "+" || e.key === "=") zoom(1.4);
		else if (e.key === "-") zoom(1 / 1.4);
		else if (e.key === "0") fit();
		else if (e.key === "Enter") pickMiddle();
		else return;
		e.preventDefault();
	}

	canvas.addEventListener("pointerdown", e => {
		canvas.setPointerCapture(e.pointerId);
		fingers.set(e.pointerId, place(e));
		moved = 0;
	});
	canvas.addEventListener("pointermove", move);
	canvas.addEventListener("pointerup", release);
	canvas.addEventListener("pointercancel", release);
	canvas.addEventListener("pointerleave", () => setHovered(null));
	canvas.addEventListener(
		"wheel",
		e => {
			e.preventDefault();
			zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0018)), ...place(e));
		},
		{ passive: false },
	);
	canvas.addEventListener("keydown", key);
	addEventListener("resize", plan);

	// -------------------------------------------------------------------------------- legend

	// Fills a list with the largest folders; a click hides or shows one.
	function legend(list) {
		const count = data.folders.map(() => 0);
		for (const p of data.points) count[p[3]]++;
		const order = count.map((n, i) => i).sort((a, b) => count[b] - count[a]);
		const color = i => COLORS[i] || `hsl(${(i * 137.5) % 360} 48% ${[46, 58, 38][i % 3]}%)`;
		order.forEach((f, i) => {
			colorOf[f] = color(i);
		});
		list.replaceChildren(
			...order.slice(0, NAMES).map(f => {
				const element = tag => document.createElement(tag);
				const item = element("li"),
					button = element("button"),
					dot = element("i");
				dot.style.background = colorOf[f];
				button.type = "button";
				button.title = "Hide or show";
				button.setAttribute("aria-pressed", "false");
				button.append(dot, `${data.folders[f] || "/"} (${count[f]})`);
				button.addEventListener("click", () => {
					hidden.has(f) ? hidden.delete(f) : hidden.add(f);
					button.setAttribute("aria-pressed", String(hidden.has(f)));
					plan();
				});
				item.append(button);
				return item;
			}),
		);
	}

	function show(map, list) {
		data = map;
		hidden.clear();
		legend(list);
		fit();
	}

	return { show, fit, zoom, draw: plan };
}
