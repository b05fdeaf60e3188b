// usage: screenshots.mjs PHOTOS OUT   (wants node, chromium, chromedriver; run by make screenshots)
//
// The pictures of docs/pictures again: the page in a real browser, a sheet, a map of tiles. PHOTOS
// is Caltech-101, or some of it.
import { browser, command, pause, serve, temporary } from "../serve/webdriver.mjs";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const [photos, out] = process.argv.slice(2).map(p => resolve(p)),
	W = temporary(),
	db = join(W, "index.db");
Object.assign(process.env, { XDG_CACHE_HOME: join(W, "cache"), XDG_RUNTIME_DIR: W });
const imgsearch = (...words) =>
	execFileSync(command, [...words, "--db", db], {
		encoding: "utf8",
		stdio: ["ignore", "pipe", "inherit"],
	});
const bird = join(photos, "flamingo/image_0044.jpg"),
	drawing = join(photos, "panda/image_0018.jpg");

imgsearch("index", photos);
imgsearch("query", "-q", "-k", "10", "--sheet", join(W, "sheet.png"), bird);
imgsearch("map", "-q", "--tiles", "--size", "2200", "-o", join(W, "map-tiles.png"));
const ids = new Map(
	imgsearch("list", "--json")
		.trim()
		.split("\n")
		.map(line => JSON.parse(line))
		.map(p => [p.path, p.id]),
);

const server = await serve(db),
	b = await browser();
const settled = () =>
	b.until(
		"pictures",
		`return !document.body.classList.contains('busy')
			&& [...document.querySelectorAll('#results img, #group-list img')]
				.filter(i => i.getBoundingClientRect().top < innerHeight && i.offsetParent)
				.every(i => i.complete && i.naturalWidth)`,
	);
const shot = async (name, quality = 70) => {
	await pause(800);
	writeFileSync(join(out, `page-${name}.jpg`), await b.shot({ quality }));
};
const search = async path => {
	await b.go(`${server.url}/?q=id${ids.get(path)}`);
	await b.until("results", "return document.querySelectorAll('#results .card').length");
	await settled();
};

await b.size(1360, 860);
await b.dark(false);
await search(bird);
await shot("desktop");
await b.go(`${server.url}/?tab=groups`);
await b.until("groups", "return document.querySelectorAll('.group').length");
await settled();
await shot("duplicates");
await b.go(`${server.url}/?tab=map`);
await b.until("the map", "return document.querySelectorAll('#legend li').length");
await b.run("document.querySelector('#plane').focus({ focusVisible: false })");
await b.keys("+", "+", "+");
await pause(2500); // its pictures come one after the other
await b.run("document.activeElement.blur()");
await shot("map", 60);
await b.dark(true);
await search(drawing);
await shot("dark");
await b.dark(false);
await b.size(390, 844, 2);
await search(bird);
await shot("phone", 50);
for (const name of ["sheet", "map-tiles"]) {
	// as small as they are shown
	await b.go("file://" + join(W, name + ".png"));
	const [width, height] = await b.run(
		"return [document.images[0].naturalWidth, document.images[0].naturalHeight]",
	);
	await b.size(1100, Math.floor((1100 * height) / width));
	await b.run(
		"document.images[0].style = 'position: fixed; left: 0; top: 0; width: 100vw; height: auto'",
	);
	await pause(300);
	writeFileSync(join(out, name + ".jpg"), await b.shot({ quality: 65 }));
}
await b.close();
await server.stop();
process.exit(0);
