// The map of the page: the plane, a tip at the pointer, buttons.
import { $, thumb, toast, waitFor } from "/base.js";
import { makePlane } from "/plane.js";

const canvas = $("plane"),
	tip = $("tip");
let pick = null; // called with the id of a picture that was clicked
let data = null;

function showTip(p, x, y) {
	tip.hidden = !p;
	if (!p) return;
	tip.querySelector("img").src = thumb(p[0], 256);
	tip.querySelector("p").textContent = data.folders[p[3]];
	tip.style.left = Math.min(x + 18, canvas.clientWidth - 250) + "px";
	tip.style.top = (y > canvas.clientHeight / 2 ? y - 240 : y + 18) + "px";
}

const plane = makePlane(canvas, {
	source: id => thumb(id, 128),
	hover: showTip,
	pick: id => pick(id),
});

async function load(url) {
	try {
		await waitFor(url, $("map-progress"), body => {
			data = body;
			plane.show(data, $("legend"));
		});
	} catch (e) {
		toast(e.message);
	}
}

export function showMap(onPick) {
	pick = onPick;
	if (!data) load("/api/map");
	else plane.draw();
}

$("map-in").addEventListener("click", () => plane.zoom(1.6));
$("map-out").addEventListener("click", () => plane.zoom(1 / 1.6));
$("map-all").addEventListener("click", plane.fit);
$("map-again").addEventListener("click", () => load("/api/map?refresh=1"));
