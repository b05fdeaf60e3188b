// What was removed: a list, from which each can be taken in again.
import { $, ask, make, name, toast } from "/base.js";

const MOST = 50;

function entry(p) {
	return make(
		"li",
		{},
		make("span", { title: p.path }, name(p)),
		make(
			"button",
			{
				type: "button",
				"aria-label": `Restore ${name(p)}`,
				onclick: () => restore(p),
			},
			"Restore",
		),
	);
}

async function restore(p) {
	try {
		await ask(`/api/pictures/${p.id}/readmit`, { method: "POST" });
		toast(`${name(p)} is in the index again.`);
		showRemoved();
	} catch (e) {
		toast(e.message);
	}
}

export async function showRemoved() {
	try {
		const { body } = await ask(`/api/pictures?state=kept-out&limit=${MOST}`);
		const more = body.total - body.pictures.length;
		$("removed").hidden = !body.total;
		$("removed-list").replaceChildren(
			...body.pictures.map(entry),
			...(more > 0 ? [make("li", {}, `and ${more} more`)] : []),
		);
	} catch (e) {
		toast(e.message);
	}
}
