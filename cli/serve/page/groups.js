// Near-duplicates: groups by kind, each a strip of pictures; pairs can be said to be different.
import { $, also, ask, bytes, make, name, thumb, toast, waitFor } from "/base.js";

const kinds = { bytes: "Same bytes", picture: "Same picture", scene: "Same scene" };
const explain = {
	bytes: "The files are equal, byte for byte.",
	picture: "One picture: resized, recompressed, turned or mirrored.",
	scene: "Most likely the same thing, photographed again.",
};
const AT_ONCE = 60;
let groups = null,
	kind = "",
	writable = false,
	view = null,
	shownGroups = AT_ONCE;

function twin(group, p, first) {
	const facts = [
		p.width ? `${p.width} × ${p.height}` : "",
		p.size ? bytes(p.size) : "",
		p.grey ? "grey" : "",
	]
		.filter(Boolean)
		.join(" · ");
	return make(
		"div",
		{ class: "twin" },
		make(
			"button",
			{
				type: "button",
				class: "picture",
				"aria-label": `Open ${name(p)}`,
				onclick: () => view(p.id),
			},
			make("img", { src: thumb(p.id, 256), alt: "", loading: "lazy" }),
		),
		make("b", { title: p.path }, name(p)),
		make("span", {}, facts),
		...also(p).map(text => make("span", {}, text)),
		writable && p !== first && group.kind !== "bytes"
			? make(
					"button",
					{
						type: "button",
						class: "different",
						"aria-label": `${name(p)} and ${name(first)} are different`,
						onclick: () => reject(group, first, p),
					},
					"Different",
				)
			: null,
	);
}

async function reject(group, a, b) {
	try {
		await ask("/api/reject", {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify({ a: a.id, b: b.id }),
		});
		group.pictures = group.pictures.filter(p => p !== b);
		groups = groups.filter(g => g.pictures.length > 1);
		draw();
		toast(`${name(a)} and ${name(b)} will not be put together again.`);
	} catch (e) {
		toast(e.message);
	}
}

function section(g) {
	const score =
		g.kind === "scene"
			? make("span", { class: "hint" }, `score ${g.score.toFixed(3)} or more`)
			: null;
	return make(
		"div",
		{
			class: "group",
			role: "group",
			"aria-label": `${kinds[g.kind]}, ${g.pictures.length} pictures`,
		},
		make(
			"header",
			{},
			make("span", { class: `tag ${g.kind}` }, kinds[g.kind]),
			make("h2", {}, `${g.pictures.length} pictures`),
			score,
		),
		make("div", { class: "strip" }, ...g.pictures.map(p => twin(g, p, g.pictures[0]))),
	);
}

function draw() {
	const of = k => groups.filter(g => !k || g.kind === k),
		list = of(kind);
	$("kinds").replaceChildren(
		...["", ...Object.keys(kinds)].map(k =>
			make(
				"button",
				{
					type: "button",
					"aria-pressed": String(k === kind),
					title: explain[k] || "",
					onclick: () => {
						kind = k;
						shownGroups = AT_ONCE;
						draw();
					},
				},
				`${kinds[k] || "All"} (${of(k).length})`,
			),
		),
	);
	$("groups-none").hidden = list.length > 0;
	$("groups-none").textContent = kind
		? `No groups of this kind. ${explain[kind]}`
		: "No near-duplicates: every picture is there once.";
	$("group-list").replaceChildren(...list.slice(0, shownGroups).map(section));
	if (list.length > shownGroups)
		$("group-list").append(
			make(
				"button",
				{
					type: "button",
					onclick: () => {
						shownGroups += AT_ONCE;
						draw();
					},
				},
				`Show more (${list.length - shownGroups} left)`,
			),
		);
}

async function load(url) {
	try {
		await waitFor(url, $("groups-progress"), body => {
			groups = body.groups;
			draw();
		});
	} catch (e) {
		toast(e.message);
	}
}

// open: shows a picture by id. changes: pairs may be said to be different.
export function showGroups(changes, open) {
	writable = changes;
	view = open;
	if (!groups) load("/api/groups");
}

$("groups-again").addEventListener("click", () => load("/api/groups?refresh=1"));
