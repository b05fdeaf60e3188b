// The page: what is searched for, its results, the viewer, the tabs. The address holds the state,
// so that a search can be reloaded, sent to somebody on the same machine, or gone back from. Text
// of strangers only goes through textContent.
import { $, also, ask, bytes, folder, make, name, taken, thumb, toast } from "/base.js";
import { showMap } from "/map.js";
import { showGroups } from "/groups.js";
import { showRemoved } from "/removed.js";

const counts = [8, 12, 24, 48, 100, 200, 500];
const MOST_WORDS = 1000; // characters

// One search: terms are { text, weight } or
// { id | held, weight, crop: [x, y, w, h] | null, size: [w, h] | null }.
let state = { tab: "search", terms: [], k: 24, min: 0, model: "" }; // model "": the first one
let info = {};
let hits = [],
	missing = [], // what could not be reached
	shown = []; // results of the last search; those above the threshold
let asked = 0; // number of the newest request, so that late answers are dropped
let adding = false; // the next picked picture joins the search

// ---------------------------------------------------------------------------- state in the address

// q=id12,-id7,u3f…@4000x3000~10,20,300,400,wred%20car: pictures by id or held upload, "-" pushed
// away, "~" the part; "w" words.
function writeTerm(t) {
	if (t.text) return (t.weight < 0 ? "-w" : "w") + encodeURIComponent(t.text);
	return (
		(t.weight < 0 ? "-" : "") +
		(t.held ? "u" + t.held + (t.size ? `@${t.size[0]}x${t.size[1]}` : "") : "id" + t.id) +
		(t.crop ? "~" + t.crop.join("_") : "")
	);
}

function readWords(text) {
	try {
		return decodeURIComponent(text);
	} catch (e) {
		return ""; /* somebody changed the address */
	}
}

function readTerm(text) {
	const words = /^(-?)w(.+)$/.exec(text);
	if (words)
		return {
			weight: words[1] ? -0.5 : 1,
			text: readWords(words[2]).slice(0, MOST_WORDS),
		};
	const m =
		/^(-?)(?:id(\d+)|u([0-9a-f]{32})(?:@(\d+)x(\d+))?)(?:~(\d+)_(\d+)_(\d+)_(\d+))?$/.exec(
			text,
		);
	return (
		m && {
			weight: m[1] ? -0.5 : 1,
			id: m[2] ? Number(m[2]) : undefined,
			held: m[3],
			size: m[4] ? [Number(m[4]), Number(m[5])] : null,
			crop: m[6] ? m.slice(6, 10).map(Number) : null,
		}
	);
}

function readState() {
	const p = new URLSearchParams(location.search),
		k = Number(p.get("k"));
	state = {
		tab: ["map", "groups"].includes(p.get("tab")) ? p.get("tab") : "search",
		terms: (p.get("q") || "")
			.split(",")
			.map(readTerm)
			.filter(t => t && t.text !== "")
			.slice(0, 16),
		k: counts.includes(k) ? k : 24,
		min: Math.min(Math.max(Number(p.get("min")) || 0, 0), 1),
		model: p.get("model") || "",
	};
}

function address(s) {
	const p = new URLSearchParams();
	if (s.tab !== "search") p.set("tab", s.tab);
	if (s.terms.length && s.tab === "search") p.set("q", s.terms.map(writeTerm).join(","));
	if (s.k !== 24) p.set("k", s.k);
	if (s.min) p.set("min", s.min);
	if (s.model) p.set("model", s.model);
	const text = p.toString().replaceAll("%2C", ",").replaceAll("%7E", "~").replaceAll("%40", "@");
	return text ? "/?" + text : "/";
}

function go(change, replace = false) {
	state = { ...state, ...change };
	history[replace ? "replaceState" : "pushState"](null, "", address(state));
	show();
}

const searchFrom = id => go({ tab: "search", terms: [{ id, weight: 1 }] });

// ------------------------------------------------------------------------------------------- cards

// The part of a picture that a result is about; it is cut at the sides as the picture is.
function frame(region) {
	if (!region) return null;
	const svg = (name, attributes, ...inner) => {
		const e = document.createElementNS("http://www.w3.org/2000/svg", name);
		for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
		e.append(...inner);
		return e;
	};
	const { x, y, width, height } = region;
	const box = `0 0 ${region.picture_width} ${region.picture_height}`;
	return svg(
		"svg",
		{ class: "part", viewBox: box, preserveAspectRatio: "xMidYMid slice", "aria-hidden": true },
		...["outer", "inner"].map(c => svg("rect", { class: c, x, y, width, height })),
	);
}

function card(p, tools) {
	const picture = make("img", {
		src: thumb(p.id, 512, p.hash),
		alt: "",
		loading: "lazy",
		decoding: "async",
	});
	const li = make("li", { class: "card" });
	picture.addEventListener("load", () =>
		li.style.setProperty(
			"--ratio",
			Math.min(Math.max(picture.naturalWidth / picture.naturalHeight, 0.5), 3),
		),
	);
	const score = p.score === undefined ? null : p.score.toFixed(3);
	const label =
		name(p) + (score ? `, score ${score}` : "") + (folder(p) ? `, in ${folder(p)}` : "");
	const button = make(
		"button",
		{
			type: "button",
			class: "picture",
			"aria-label": `Search from ${label}`,
			title: [p.path || "", ...taken(p), ...also(p)].join("\n"),
		},
		picture,
		frame(p.region),
	);
	button.addEventListener("click", () => searchFrom(p.id));
	button.addEventListener("keydown", e => cardKey(e, p, li));
	li.append(
		button,
		make(
			"div",
			{ class: "name", "aria-hidden": "true" },
			make("b", {}, name(p)),
			make("span", {}, score ?? folder(p)),
		),
	);
	if (tools)
		li.append(
			make(
				"div",
				{ class: "tools" },
				make(
					"button",
					{
						type: "button",
						title: "Open",
						"aria-label": `Open ${name(p)}`,
						onclick: () => view(p.id),
					},
					"⤢",
				),
				make(
					"button",
					{
						type: "button",
						title: "Add to the search",
						"aria-label": `Add ${name(p)} to the search`,
						onclick: () => combine(p.id, 1),
					},
					"+",
				),
				make(
					"button",
					{
						type: "button",
						title: "Push away from it",
						"aria-label": `Push away from ${name(p)}`,
						onclick: () => combine(p.id, -0.5),
					},
					"−",
				),
			),
		);
	return li;
}

function cardKey(e, p, li) {
	const step = { ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling" }[e.key];
	if (step) {
		let to = li[step];
		while (to && !to.classList.contains("card")) to = to[step];
		to?.querySelector(".picture").focus();
	} else if (e.key === "o") view(p.id);
	else if (e.key === "+") combine(p.id, 1);
	else if (e.key === "-") combine(p.id, -0.5);
	else return;
	e.preventDefault();
}

// --------------------------------------------------------------------------------------- searching

function combine(id, weight) {
	const rest = state.terms.filter(t => t.id !== id);
	if (!rest.length) return searchFrom(id);
	go({ tab: "search", terms: [...rest, { id, weight }] });
}

function searchWords(text, join) {
	const words = text.trim();
	if (words)
		go({ tab: "search", terms: [...(join ? state.terms : []), { text: words, weight: 1 }] });
}

async function search() {
	const mine = ++asked;
	$("start").hidden = true;
	$("found").hidden = false;
	showTerms();
	document.body.classList.add("busy");
	try {
		const inputs = state.terms.map(t => ({
			...(t.text ? { text: t.text } : t.held ? { held: t.held } : { id: t.id }),
			weight: t.weight,
			...(t.crop ? { crop: t.crop } : {}),
		}));
		const { body } = await ask("/api/search", {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify({
				inputs,
				k: state.k,
				...(state.model ? { model: state.model } : {}),
			}),
		});
		if (mine === asked) showResults(body);
	} catch (e) {
		if (mine !== asked) return;
		showResults({ results: [], better_than_chance: 0 });
		$("status").textContent = "";
		notice(
			e.status === 410
				? "This picture is no longer held by the server."
				: "The search did not work.",
			e.status === 410 ? "Drop it again." : e.message,
		);
	} finally {
		if (mine === asked) document.body.classList.remove("busy");
	}
}

// The choice between the models of an index that has two, and whether the chosen one takes words.
function showModels() {
	const models = info.models || [];
	const chosen = models.find(m => m.name === state.model) || models[0];
	for (const label of document.querySelectorAll("[data-models]")) {
		label.hidden = models.length < 2;
		label
			.querySelector("select")
			.replaceChildren(
				...models.map((m, i) => make("option", { value: i ? m.name : "" }, m.name)),
			);
		label.querySelector("select").value = chosen === models[0] ? "" : chosen.name;
	}
	for (const form of document.querySelectorAll("[data-words]"))
		form.hidden = !(models.length > 1 ? chosen.words : info.words);
}

function notice(strong, text) {
	$("notice").replaceChildren(make("b", {}, strong), text);
	$("notice").hidden = false;
}

function showResults(body) {
	hits = body.results.map((h, i) => ({ ...h, chanceOnly: i >= body.better_than_chance }));
	missing = body.missing || [];
	filterResults();
}

function filterResults() {
	shown = hits.filter(h => h.score >= state.min || !state.min);
	const close = shown.filter(h => !h.chanceOnly).length,
		list = [];
	shown.forEach((h, i) => {
		if (h.chanceOnly && i === close && close)
			list.push(make("li", { class: "divider" }, "From here on no better than chance"));
		const li = card(h, true);
		li.classList.toggle("chance", h.chanceOnly);
		list.push(li);
	});
	$("results").replaceChildren(...list);
	$("notice").hidden = true;
	const count = shown.length === 1 ? "1 picture" : `${shown.length} pictures`;
	$("status").textContent = missing.length
		? `${count}; left out, since it could not be reached: ${missing.join(", ")}`
		: count;
	if (hits.length && !shown.length)
		notice(
			"No close match.",
			`Nothing scores ${state.min.toFixed(2)} or more; ` +
				`the nearest picture scores ${hits[0].score.toFixed(3)}.`,
		);
	else if (!hits.length) notice("No close match.", "The index holds nothing to compare with.");
	else if (!close)
		notice(
			"No close match.",
			"These are the nearest pictures, but none is nearer than chance would have it.",
		);
}

// Of held uploads, by the names of these.
const fileNames = new Map();

async function upload(file) {
	const join = adding;
	adding = false;
	try {
		let data = file,
			size = null;
		try {
			const bitmap = await createImageBitmap(file);
			size = [bitmap.width, bitmap.height];
			// What the browser can read, but perhaps not the server.
			if (!["image/jpeg", "image/png"].includes(file.type)) data = await asJpeg(bitmap);
		} catch (e) {
			/* no picture that the browser knows: the server says what it is */
		}
		$("start").hidden = true;
		$("found").hidden = false;
		document.body.classList.add("busy");
		const { headers } = await ask("/api/search?k=1&hold=1", {
			method: "POST",
			headers: { "Content-Type": "application/octet-stream" },
			body: data,
		});
		const term = { held: headers.get("Imgsearch-Held"), weight: 1, size };
		fileNames.set(term.held, file.name || "");
		go({ tab: "search", terms: join ? [...state.terms, term] : [term] });
	} catch (e) {
		toast(e.message);
		document.body.classList.remove("busy");
		show();
	}
}

async function asJpeg(bitmap) {
	const canvas = make("canvas", { width: bitmap.width, height: bitmap.height }),
		c = canvas.getContext("2d");
	c.fillStyle = "#fff";
	c.fillRect(0, 0, canvas.width, canvas.height);
	c.drawImage(bitmap, 0, 0);
	return new Promise(done => canvas.toBlob(done, "image/jpeg", 0.92));
}

const source = (t, size) => (t.held ? `/api/held/${t.held}` : thumb(t.id, size));

// The first picture of the search is on the stage.
function showStage() {
	const pictures = state.terms.filter(t => !t.text),
		first = pictures.find(t => t.weight > 0) || pictures[0];
	$("stage").dataset.term = state.terms.indexOf(first);
	$("whole").hidden = !first?.crop;
	$("keep").hidden = !(info.uploads && first?.held);
	if (first) $("stage-picture").src = source(first, 1024);
	else {
		$("stage-picture").removeAttribute("src");
		$("stage").hidden = $("stage-hint").hidden = $("part").hidden = true;
	}
	return first;
}

const termFace = t =>
	t.text
		? make("span", { class: "words" }, t.text)
		: make("img", {
				src: source(t, 256),
				alt: t.weight < 0 ? "Pushed away from" : "Searched for",
			});

function showTerms() {
	const picture = showStage();
	$("terms").hidden = picture && state.terms.length < 2;
	$("terms").replaceChildren(
		...state.terms.map((t, i) =>
			make(
				"li",
				{ class: "term" + (t.weight < 0 ? " away" : "") },
				termFace(t),
				make(
					"button",
					{
						type: "button",
						class: "turn",
						"aria-label":
							t.weight < 0
								? "Search for this one instead"
								: "Push away from this one",
						onclick: () =>
							go({
								terms: state.terms.map((o, j) =>
									j === i ? { ...o, weight: o.weight < 0 ? 1 : -0.5 } : o,
								),
							}),
					},
					t.weight < 0 ? "−" : "+",
				),
				make(
					"button",
					{
						type: "button",
						class: "drop-it",
						"aria-label": "Take out of the search",
						onclick: () => go({ terms: state.terms.filter((_, j) => j !== i) }),
					},
					"×",
				),
			),
		),
	);
	placeBox();
}

// ------------------------------------------------------------------------------- part of a picture

// Full size of the picture on the stage: an upload's is known, a stored one's is asked for.
async function stageSize() {
	const t = state.terms[$("stage").dataset.term];
	if (t.size) return t.size;
	if (t.id) {
		const { body } = await ask(`/api/pictures/${t.id}`);
		if (body.width) return (t.size = [body.width, body.height]);
	}
	return (t.size = [$("stage-picture").naturalWidth, $("stage-picture").naturalHeight]);
}

let part = null; // in shares of the picture: x, y, w, h

function drawBox() {
	$("box").hidden = !part;
	if (part)
		["left", "top", "width", "height"].forEach((side, i) => {
			$("box").style[side] = part[i] * 100 + "%";
		});
}

async function placeBox() {
	const t = state.terms[$("stage").dataset.term];
	part = null;
	if (t?.crop) {
		const [w, h] = await stageSize();
		part = [t.crop[0] / w, t.crop[1] / h, t.crop[2] / w, t.crop[3] / h];
	}
	drawBox();
}

async function searchPart() {
	const [w, h] = await stageSize(),
		i = Number($("stage").dataset.term);
	const x = Math.round(part[0] * w),
		y = Math.round(part[1] * h);
	const crop = [
		x,
		y,
		Math.max(Math.min(Math.round(part[2] * w), w - x), 1),
		Math.max(Math.min(Math.round(part[3] * h), h - y), 1),
	];
	go({ terms: state.terms.map((t, j) => (j === i ? { ...t, crop } : t)) });
}

const searchWhole = () =>
	go({
		terms: state.terms.map((t, j) =>
			j === Number($("stage").dataset.term) ? { ...t, crop: null } : t,
		),
	});

function listenStage() {
	let from = null;
	for (const what of ["load", "error"])
		/* a picture that is gone leaves no frame around nothing */
		$("stage-picture").addEventListener(what, () => {
			$("stage").hidden = $("stage-hint").hidden = $("part").hidden = what === "error";
		});
	const at = e => {
		const r = $("stage-picture").getBoundingClientRect();
		return [(e.clientX - r.left) / r.width, (e.clientY - r.top) / r.height].map(v =>
			Math.min(Math.max(v, 0), 1),
		);
	};
	$("stage").addEventListener("pointerdown", e => {
		from = at(e);
		$("stage").setPointerCapture(e.pointerId);
	});
	$("stage").addEventListener("pointermove", e => {
		if (!from) return;
		const to = at(e);
		part = [
			Math.min(from[0], to[0]),
			Math.min(from[1], to[1]),
			Math.abs(to[0] - from[0]),
			Math.abs(to[1] - from[1]),
		];
		drawBox();
	});
	$("stage").addEventListener("pointerup", () => {
		from = null;
		if (part && part[2] > 0.03 && part[3] > 0.03) searchPart();
		else placeBox();
	});
	$("box").addEventListener("keydown", e => {
		const move = {
			ArrowLeft: [-1, 0],
			ArrowRight: [1, 0],
			ArrowUp: [0, -1],
			ArrowDown: [0, 1],
		}[e.key];
		const fit = (v, low, high) => Math.min(Math.max(v, low), high);
		if (move && e.shiftKey)
			part = [
				part[0],
				part[1],
				fit(part[2] + move[0] * 0.04, 0.05, 1 - part[0]),
				fit(part[3] + move[1] * 0.04, 0.05, 1 - part[1]),
			];
		else if (move)
			part = [
				fit(part[0] + move[0] * 0.04, 0, 1 - part[2]),
				fit(part[1] + move[1] * 0.04, 0, 1 - part[3]),
				part[2],
				part[3],
			];
		else if (e.key === "Enter") searchPart();
		else if (e.key === "Escape") searchWhole();
		else return;
		e.preventDefault();
		drawBox();
	});
	$("part").addEventListener("click", () => {
		part = part || [0.25, 0.25, 0.5, 0.5];
		drawBox();
		$("box").focus();
		$("stage-hint").textContent =
			"Arrow keys move the box, Shift and arrow keys change its size, Enter searches.";
	});
	$("whole").addEventListener("click", searchWhole);
}

// -------------------------------------------------------------------------------------- the viewer

let viewed = 0;

async function view(id) {
	viewed = id;
	$("viewer-picture").src = `/api/pictures/${id}/full`;
	$("viewer-full").href = `/api/pictures/${id}/full`;
	$("viewer-title").textContent = "…";
	$("viewer-path").textContent = $("viewer-facts").textContent = "";
	const alone = !shown.some(h => h.id === id);
	$("viewer-back").hidden = $("viewer-on").hidden = alone;
	if (!$("viewer").open) $("viewer").showModal();
	try {
		const { body: p } = await ask(`/api/pictures/${id}`);
		if (viewed !== id) return;
		const hit = shown.find(h => h.id === id),
			facts = [];
		if (hit) facts.push(`score ${hit.score.toFixed(4)}`);
		if (hit?.chance !== undefined)
			facts.push(
				hit.chance < 0.001
					? "by chance: fewer than 1 in 1000"
					: `by chance: ${hit.chance.toPrecision(2)} pictures`,
			);
		if (p.width) facts.push(`${p.width} × ${p.height}`);
		if (p.size) facts.push(bytes(p.size));
		for (const [key, value] of Object.entries(p.columns || {}))
			if (key !== "title" && key !== "file" && value) facts.push(`${key}: ${value}`);
		$("viewer-title").textContent = name(p);
		$("viewer-picture").alt = name(p);
		$("viewer-path").replaceChildren(
			p.path,
			...also(p).flatMap(text => [make("br"), text]),
		);
		$("viewer-facts").textContent = facts.join(" · ");
	} catch (e) {
		$("viewer-title").textContent = e.message;
	}
}

async function remove(id) {
	try {
		await ask(`/api/pictures/${id}`, { method: "DELETE" });
		toast("It is kept out of the index. The start page lists what was removed.");
		$("samples").replaceChildren();
		go({ terms: state.terms.filter(t => t.id !== id) }, true);
	} catch (e) {
		toast(e.message);
	}
}

function listenViewer() {
	const step = by => {
		const i = shown.findIndex(h => h.id === viewed);
		if (i >= 0) view(shown[(i + by + shown.length) % shown.length].id);
	};
	const close = then => () => {
		$("viewer").close();
		then(viewed);
	};
	$("viewer-back").addEventListener("click", () => step(-1));
	$("viewer-on").addEventListener("click", () => step(1));
	$("viewer-like").addEventListener("click", close(searchFrom));
	$("viewer-plus").addEventListener(
		"click",
		close(id => combine(id, 1)),
	);
	$("viewer-minus").addEventListener(
		"click",
		close(id => combine(id, -0.5)),
	);
	$("viewer-remove").addEventListener("click", close(remove));
	$("viewer").addEventListener("keydown", e => {
		if (e.key === "ArrowLeft") step(-1);
		if (e.key === "ArrowRight") step(1);
	});
	$("viewer").addEventListener("click", e => {
		if (e.target === $("viewer")) $("viewer").close();
	});
}

// ---------------------------------------------------------------------------------------- the page

async function showSamples(seed) {
	try {
		const { body } = await ask(`/api/sample?n=24&seed=${seed}`);
		$("samples").replaceChildren(...body.pictures.map(p => card(p, false)));
	} catch (e) {
		toast(e.message);
	}
}

function show() {
	for (const tab of ["search", "map", "groups"]) $(tab).hidden = tab !== state.tab;
	for (const a of document.querySelectorAll("[data-tab]"))
		if (a.dataset.tab === state.tab) a.setAttribute("aria-current", "page");
		else a.removeAttribute("aria-current");
	showModels();
	$("k").value = counts.indexOf(state.k);
	$("k-value").textContent = state.k;
	$("min").value = state.min;
	$("min-value").textContent = state.min ? state.min.toFixed(2) : "any";
	if (state.tab === "map") showMap(searchFrom);
	else if (state.tab === "groups") showGroups(info.writable, view);
	else if (state.terms.length) search();
	else {
		asked++;
		hits = shown = [];
		$("start").hidden = false;
		$("found").hidden = true;
		if (!$("samples").children.length) showSamples(0);
		if (info.writable) showRemoved();
	}
}

function listen() {
	const pick = input => () => $(input).click();
	document.querySelectorAll("[data-pick]").forEach(b =>
		b.addEventListener("click", () => {
			adding = false;
			pick("file")();
		}),
	);
	document.querySelectorAll("[data-add]").forEach(b =>
		b.addEventListener("click", () => {
			adding = true;
			pick("file")();
		}),
	);
	document
		.querySelectorAll("[data-shoot]")
		.forEach(b => b.addEventListener("click", pick("camera")));
	for (const input of ["file", "camera"])
		$(input).addEventListener("change", e => {
			if (e.target.files[0]) upload(e.target.files[0]);
			e.target.value = "";
		});
	document.addEventListener("paste", e => {
		const file = [...e.clipboardData.files].find(f => f.type.startsWith("image/"));
		if (file) upload(file);
	});
	let depth = 0;
	document.addEventListener("dragenter", e => {
		e.preventDefault();
		depth++;
		$("veil").hidden = false;
	});
	document.addEventListener("dragleave", () => {
		if (!--depth) $("veil").hidden = true;
	});
	document.addEventListener("dragover", e => e.preventDefault());
	document.addEventListener("drop", e => {
		e.preventDefault();
		depth = 0;
		$("veil").hidden = true;
		if (e.dataTransfer.files[0]) upload(e.dataTransfer.files[0]);
	});
	for (const a of [...document.querySelectorAll("[data-tab]"), $("home")])
		a.addEventListener("click", e => {
			if (e.metaKey || e.ctrlKey || e.shiftKey) return;
			e.preventDefault();
			go(a.dataset.tab ? { tab: a.dataset.tab } : { tab: "search", terms: [] });
		});
	for (const form of document.querySelectorAll("[data-words]"))
		form.addEventListener("submit", e => {
			e.preventDefault();
			searchWords(form.elements.words.value, form.dataset.words === "add");
			form.reset();
		});
	$("shuffle").addEventListener("click", () => showSamples(Math.floor(Math.random() * 1e9)));
	$("k").addEventListener("input", () => {
		$("k-value").textContent = counts[$("k").value];
	});
	$("k").addEventListener("change", () => go({ k: counts[$("k").value] }, true));
	$("min").addEventListener("input", () => {
		state.min = Number($("min").value);
		$("min-value").textContent = state.min ? state.min.toFixed(2) : "any";
		history.replaceState(null, "", address(state));
		filterResults();
	});
	$("keep").addEventListener("click", keep);
	for (const label of document.querySelectorAll("[data-models]"))
		label.addEventListener("change", e => go({ model: e.target.value }));
	addEventListener("popstate", () => {
		readState();
		show();
	});
}

async function keep() {
	const t = state.terms[$("stage").dataset.term];
	try {
		const name = encodeURIComponent(fileNames.get(t.held) || "");
		const { body } = await ask(`/api/pictures?held=${t.held}&name=${name}`, { method: "POST" });
		toast("It is in the index now.");
		go(
			{
				terms: state.terms.map(o =>
					o === t
						? { id: body.added[0].id, weight: o.weight, crop: o.crop, size: o.size }
						: o,
				),
			},
			true,
		);
	} catch (e) {
		toast(e.message);
	}
}

async function start() {
	listen();
	listenStage();
	listenViewer();
	readState();
	try {
		info = (await ask("/api/info")).body;
		$("viewer-remove").hidden = !info.writable;
		$("about").textContent =
			`${info.vectors.toLocaleString("en")} pictures${info.model ? " · " + info.model : ""}`;
	} catch (e) {
		toast(e.message);
	}
	show();
}

start();
