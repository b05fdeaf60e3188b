// The map: points coloured by folder; close up the pictures themselves. Wheel, pinch, buttons and keys zoom.
import { $, make, thumb, toast, waitFor } from "/base.js";

const colors = ["#4385d6", "#d9663b", "#3fa66b", "#a866c9", "#d1a021", "#2aa7a7", "#d65a86", "#7d8f2c", "#6d6fd0", "#b3714a", "#5c9bb8", "#c24f4f"];
const PICTURE = 56;             // side of a picture on the map, CSS pixels
const canvas = $("plane"), draw2d = canvas.getContext("2d");
let pick = null;                // what a click on a picture does
let data = null, hidden = new Set(), colorOf = [];
let scale = 1, left = 0, top = 0; // of the map's unit square, in CSS pixels
let pictures = new Map(), pending = 0, hovered = null, planned = false;

const size = () => [canvas.clientWidth, canvas.clientHeight];
const at = p => [p[1] * scale + left, p[2] * scale + top];
const plan = () => { if (!planned) { planned = true; requestAnimationFrame(draw); } };

function fit() {
	const [w, h] = size(), pad = 24;
	const [x0, x1, y0, y1] = data.points.reduce(([a, b, c, d], p) => [Math.min(a, p[1]), Math.max(b, p[1]), Math.min(c, p[2]), Math.max(d, p[2])], [1, 0, 1, 0]);
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

function pictureOf(id) {
	let picture = pictures.get(id);
	if (!picture && pending < 12) {
		picture = new Image();
		pictures.set(id, picture);
		pending++;
		picture.onload = picture.onerror = () => { pending--; plan(); };
		picture.src = thumb(id, 128);
	}
	return picture?.complete && picture.naturalWidth ? picture : null;
}

function drawPicture(c, picture, x, y, side) {
	const from = Math.min(picture.naturalWidth, picture.naturalHeight);
	c.save();
	c.beginPath();
	c.roundRect(x - side / 2, y - side / 2, side, side, 6);
	c.clip();
	c.drawImage(picture, (picture.naturalWidth - from) / 2, (picture.naturalHeight - from) / 2, from, from, x - side / 2, y - side / 2, side, side);
	c.restore();
}

function draw() {
	planned = false;
	if (!data || canvas.hidden) return;
	const [w, h] = size(), ratio = devicePixelRatio || 1;
	if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
		canvas.width = Math.round(w * ratio);
		canvas.height = Math.round(h * ratio);
	}
	const c = draw2d;
	c.setTransform(ratio, 0, 0, ratio, 0, 0);
	c.clearRect(0, 0, w, h);
	const seen = data.points.filter(p => {
		const [x, y] = at(p);
		return x > -PICTURE && y > -PICTURE && x < w + PICTURE && y < h + PICTURE && !hidden.has(p[3]);
	});
	// Pictures where there is room for most of them, each in its own place of a coarse grid; points for the rest.
	const near = seen.length * PICTURE * PICTURE < 2.2 * w * h && seen.length < 900, taken = new Set();
	const radius = Math.min(Math.max(1.6, Math.sqrt(w * h / Math.max(data.points.length, 1)) / 7), 5);
	for (const p of seen) {
		const [x, y] = at(p), key = Math.floor(x / PICTURE) + ":" + Math.floor(y / PICTURE);
		c.fillStyle = colorOf[p[3]];
		c.globalAlpha = near ? 1 : 0.8;
		const picture = near && !taken.has(key) ? pictureOf(p[0]) : null;
		if (picture) {
			taken.add(key);
			c.beginPath();
			c.roundRect(x - PICTURE / 2 - 2, y - PICTURE / 2 - 2, PICTURE + 4, PICTURE + 4, 8);
			c.fill();
			drawPicture(c, picture, x, y, PICTURE);
		} else {
			c.beginPath();
			c.arc(x, y, radius, 0, 7);
			c.fill();
		}
	}
	c.globalAlpha = 1;
	if (hovered) {
		const [x, y] = at(hovered);
		c.strokeStyle = getComputedStyle(canvas).color;
		c.lineWidth = 2;
		c.beginPath();
		c.arc(x, y, radius + 4, 0, 7);
		c.stroke();
	}
	if (near && pending) plan();
}

function nearest(x, y, within) {
	let best = null, least = within * within;
	for (const p of data.points) {
		if (hidden.has(p[3])) continue;
		const [px, py] = at(p), d = (px - x) ** 2 + (py - y) ** 2;
		if (d < least) { least = d; best = p; }
	}
	return best;
}

function hover(p, x, y) {
	if (p === hovered) return;
	hovered = p;
	$("tip").hidden = !p;
	canvas.style.cursor = p ? "pointer" : "grab";
	if (p) {
		const [w, h] = size();
		$("tip").querySelector("img").src = thumb(p[0], 256);
		$("tip").querySelector("p").textContent = data.folders[p[3]];
		$("tip").style.left = Math.min(x + 18, w - 250) + "px";
		$("tip").style.top = (y > h / 2 ? y - 240 : y + 18) + "px";
	}
	plan();
}

function listenPointers() {
	const fingers = new Map();
	let moved = 0;
	const place = e => { const r = canvas.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; };
	canvas.addEventListener("pointerdown", e => {
		canvas.setPointerCapture(e.pointerId);
		fingers.set(e.pointerId, place(e));
		moved = 0;
	});
	canvas.addEventListener("pointermove", e => {
		const to = place(e), from = fingers.get(e.pointerId);
		if (!data) return;
		if (!from) return hover(nearest(...to, 24), ...to);
		moved += Math.hypot(to[0] - from[0], to[1] - from[1]);
		if (fingers.size === 1) {
			left += to[0] - from[0];
			top += to[1] - from[1];
		} else {
			const other = [...fingers].find(([id]) => id !== e.pointerId)[1];
			zoom(Math.hypot(to[0] - other[0], to[1] - other[1]) / Math.max(Math.hypot(from[0] - other[0], from[1] - other[1]), 1), ...other);
		}
		fingers.set(e.pointerId, to);
		plan();
	});
	const end = e => {
		const to = place(e);
		fingers.delete(e.pointerId);
		const p = e.type === "pointerup" && moved < 5 && data ? nearest(...to, 28) : null;
		if (p) pick(p[0]);
	};
	canvas.addEventListener("pointerup", end);
	canvas.addEventListener("pointercancel", end);
	canvas.addEventListener("pointerleave", () => hover(null));
	canvas.addEventListener("wheel", e => {
		e.preventDefault();
		zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0018)), ...place(e));
	}, { passive: false });
}

function key(e) {
	const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[e.key];
	if (step) { left += step[0]; top += step[1]; plan(); }
	else if (e.key === "+" || e.key === "=") zoom(1.4);
	else if (e.key === "-") zoom(1 / 1.4);
	else if (e.key === "0") fit();
	else if (e.key === "Enter") { const p = nearest(size()[0] / 2, size()[1] / 2, 1e9); if (p) pick(p[0]); }
	else return;
	e.preventDefault();
}

function legend() {
	const count = data.folders.map(() => 0);
	for (const p of data.points) count[p[3]]++;
	const order = count.map((n, i) => i).sort((a, b) => count[b] - count[a]);
	order.forEach((f, i) => { colorOf[f] = colors[i] || `hsl(${i * 137.5 % 360} 48% ${[46, 58, 38][i % 3]}%)`; });
	$("legend").replaceChildren(...order.slice(0, 40).map(f => {
		const dot = make("i"), button = make("button", { type: "button", "aria-pressed": "false" }, dot, `${data.folders[f] || "/"} (${count[f]})`);
		dot.style.background = colorOf[f];
		button.title = "Hide or show";
		button.addEventListener("click", () => {
			hidden.has(f) ? hidden.delete(f) : hidden.add(f);
			button.setAttribute("aria-pressed", String(hidden.has(f)));
			plan();
		});
		return make("li", {}, button);
	}));
}

async function load(url) {
	try {
		data = await waitFor(url, $("map-progress"));
		hidden.clear();
		legend();
		fit();
	} catch (e) {
		toast(e.message);
	}
}

export function showMap(onPick) {
	pick = onPick;
	if (!data) load("/api/map");
	else plan();
}

listenPointers();
canvas.addEventListener("keydown", key);
addEventListener("resize", plan);
$("map-in").addEventListener("click", () => zoom(1.6));
$("map-out").addEventListener("click", () => zoom(1 / 1.6));
$("map-all").addEventListener("click", fit);
$("map-again").addEventListener("click", () => load("/api/map?refresh=1"));
