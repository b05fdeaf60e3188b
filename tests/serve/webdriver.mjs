// A headless Chromium through chromedriver's HTTP interface (W3C WebDriver), and a server of an
// index: what the tests of the page and the screenshots of the documentation stand on. Needs
// nothing but node.
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const command =
	process.env.IMGSEARCH || new URL("../../build/imgsearch", import.meta.url).pathname;
const children = [];

export function temporary() {
	const folder = mkdtempSync(join(tmpdir(), "imgsearch-serve-"));
	process.on("exit", () => {
		for (const c of children) c.kill("SIGKILL");
		rmSync(folder, { recursive: true, force: true });
	});
	return folder;
}

export const have = program => {
	try {
		execFileSync("which", [program], { stdio: "ignore" });
		return true;
	} catch {
		return false;
	}
};
export const pause = ms => new Promise(done => setTimeout(done, ms));

/* The first line of a program's output that the pattern fits. */
function firstLine(child, pattern) {
	return new Promise((done, fail) => {
		let text = "";
		child.stdout.on("data", chunk => {
			text += chunk;
			const m = pattern.exec(text);
			if (m) done(m);
		});
		child.on("exit", code => fail(new Error(`ended with ${code}: ${text}`)));
		child.on("error", fail);
	});
}

export async function serve(db, ...options) {
	const words = ["serve", "--db", db, "--port", "0", "--no-token", "-q", ...options];
	const child = spawn(command, words, {
		stdio: ["ignore", "pipe", "inherit"],
	});
	children.push(child);
	const url = (await firstLine(child, /http:\/\/(\S+)\//))[0].replace(/\/$/, "");
	return {
		url,
		child,
		stop: () =>
			new Promise(done => {
				child.on("exit", done);
				child.kill("SIGTERM");
			}),
	};
}

export async function browser({ width = 1280, height = 900 } = {}) {
	const driver = spawn("chromedriver", ["--port=0"], { stdio: ["ignore", "pipe", "ignore"] });
	children.push(driver);
	const port = (await firstLine(driver, /successfully on port (\d+)/))[1];
	const call = async (method, path, body) => {
		const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
			method,
			body: method === "POST" ? JSON.stringify(body || {}) : undefined,
		});
		const { value } = await answer.json();
		if (value?.error) throw new Error(`${value.error}: ${value.message.split("\n")[0]}`);
		return value;
	};
	const args = [
		"--headless=new",
		"--no-sandbox",
		"--disable-gpu",
		"--hide-scrollbars",
		"--disable-dev-shm-usage",
		"--blink-settings=primaryHoverType=2,availableHoverTypes=2," +
			"primaryPointerType=4,availablePointerTypes=4",
		`--window-size=${width},${height}`,
		`--lang=en`,
	];
	const chromeOptions = { args };
	const { sessionId } = await call("POST", "/session", {
		capabilities: {
			alwaysMatch: {
				browserName: "chrome",
				"goog:chromeOptions": chromeOptions,
				"goog:loggingPrefs": { browser: "ALL" },
			},
		},
	});
	const at = (method, path, body) => call(method, `/session/${sessionId}${path}`, body);
	const element = async css =>
		Object.values(await at("POST", "/element", { using: "css selector", value: css }))[0];
	const b = {
		go: url => at("POST", "/url", { url }),
		run: (script, ...args) => at("POST", "/execute/sync", { script, args }),
		later: (script, ...args) => at("POST", "/execute/async", { script, args }),
		click: async css => at("POST", `/element/${await element(css)}/click`),
		type: async (css, text) => at("POST", `/element/${await element(css)}/value`, { text }),
		text: css => b.run("return document.querySelector(arguments[0])?.innerText ?? null", css),
		count: css => b.run("return document.querySelectorAll(arguments[0]).length", css),
		keys: (...keys) =>
			at("POST", "/actions", {
				actions: [
					{
						type: "key",
						id: "k",
						actions: keys.flatMap(k => [
							{ type: "keyDown", value: k },
							{ type: "keyUp", value: k },
						]),
					},
				],
			}),
		drag: async (css, from, to) => {
			const r = await b.run(
				`const r = document.querySelector(arguments[0]).getBoundingClientRect();
				return [r.left, r.top, r.width, r.height]`,
				css,
			);
			const point = p => ({
				x: Math.round(r[0] + p[0] * r[2]),
				y: Math.round(r[1] + p[1] * r[3]),
				duration: 60,
				type: "pointerMove",
			});
			return at("POST", "/actions", {
				actions: [
					{
						type: "pointer",
						id: "m",
						actions: [
							point(from),
							{ type: "pointerDown", button: 0 },
							point([(from[0] + to[0]) / 2, (from[1] + to[1]) / 2]),
							point(to),
							{ type: "pointerUp", button: 0 },
						],
					},
				],
			});
		},
		until: async (what, script, ...args) => {
			for (let i = 0; i < 600; i++) {
				const value = await b.run(script, ...args);
				if (value) return value;
				await pause(100);
			}
			throw new Error(`waited in vain for ${what}`);
		},
		log: () => at("POST", "/se/log", { type: "browser" }),
		dark: on =>
			at("POST", "/goog/cdp/execute", {
				cmd: "Emulation.setEmulatedMedia",
				params: {
					features: [{ name: "prefers-color-scheme", value: on ? "dark" : "light" }],
				},
			}),
		size: (w, h, ratio = 1) =>
			at("POST", "/goog/cdp/execute", {
				cmd: "Emulation.setDeviceMetricsOverride",
				params: { width: w, height: h, deviceScaleFactor: ratio, mobile: w < 600 },
			}),
		shot: async (params = {}) =>
			Buffer.from(
				(
					await at("POST", "/goog/cdp/execute", {
						cmd: "Page.captureScreenshot",
						params: { format: "jpeg", quality: 80, ...params },
					})
				).data,
				"base64",
			),
		close: async () => {
			await at("DELETE", "").catch(() => {});
			driver.kill();
		},
	};
	return b;
}
