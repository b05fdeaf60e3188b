// Shared by the parts of the page: elements, requests, names of pictures.

export const $ = id => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
	const e = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
		else if (value === true) e.setAttribute(name, "");
		else if (value !== false && value !== null && value !== undefined)
			e.setAttribute(name, value);
	}
	e.append(...children.filter(c => c !== null));
	return e;
}

export async function ask(url, options) {
	let answer, body;
	try {
		answer = await fetch(url, options);
		body = await answer.json();
	} catch (e) {
		throw new Error("The server does not answer.");
	}
	if (!answer.ok)
		throw Object.assign(new Error(body.error?.message || `Error ${answer.status}`), {
			status: answer.status,
		});
	return { body, status: answer.status, headers: answer.headers };
}

// content: what the picture is, where that is known; then the browser need not ask again.
export const thumb = (id, size = 256, content = "") =>
	`/api/pictures/${id}/thumb?size=${size}` + (content ? `&v=${content}` : "");
export const name = p => p.title || (p.path || `Picture ${p.id}`).split("/").pop();
// The other paths of a picture, a text for each.
const relation = a =>
	a.link ? "the same file" : a.same_file ? `the same file as ${a.same_file}` : "a copy";
export const also = p => (p.also || []).map(a => `also at ${a.path} (${relation(a)})`);
// When and with which camera it was taken, where that is known: a text, or none.
export const taken = p => {
	const { date, camera } = p.columns || {};
	const facts = [date && date.replace("T", " "), camera].filter(Boolean);
	return facts.length ? [facts.join(", ")] : [];
};
export const folder = p => (p.path || "").split("/").slice(-2, -1)[0] || "";

export function toast(text) {
	$("toast").textContent = text;
	$("toast").hidden = false;
	clearTimeout(toast.timer);
	toast.timer = setTimeout(() => {
		$("toast").hidden = true;
	}, 6000);
}

// A thing that is computed in the background: asks until it is there, and shows how far it is. show
// is called with the last one, where there is one, and with the new one.
export async function waitFor(url, box, show) {
	const stages = {
		compare: "Comparing pictures",
		map: "Laying out the map",
		read: "Reading pictures",
	};
	for (let first = true; ; first = false) {
		const { body, status, headers } = await ask(first ? url : url.replace("?refresh=1", ""));
		const share = headers.get("Imgsearch-Working");
		box.hidden = status === 200 && share === null;
		if (status === 200 && (first || box.hidden)) show(body);
		if (box.hidden) return;
		box.querySelector("p").textContent = `${stages[body.stage] || "Working"} …`;
		box.querySelector("progress").value = share ?? body.done;
		await new Promise(done => setTimeout(done, 500));
	}
}

export const bytes = n => (n < 1e6 ? `${Math.round(n / 1e3)} kB` : `${(n / 1e6).toFixed(1)} MB`);
