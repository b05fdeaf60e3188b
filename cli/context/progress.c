/*
 * The progress bar: one line on stderr, drawn again at each report of the library (at most ten a
 * second).
 *
 *	index  1 234/5 678  [=======>             ]  21 %  83/s  1:10 left  3 failed
 *
 * The rate is smoothed over some seconds, so that "left" does not jump. Without a terminal that can
 * move its cursor, a plain line is written every half minute, so that a log of a long run stays
 * short.
 */
#include "cli/context/progress.h"

#include "cli/base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct progress {
	bool quiet, bar, colour;
	bool shown; /* a bar stands on the line */
	char stage[24];
	double started, last; /* of the stage; of the last sample */
	double plain;         /* time of the last plain line */
	uint64_t last_done;
	double rate;
};

progress *progress_new(bool quiet)
{
	progress *p = calloc(1, sizeof *p);
	const char *term = getenv("TERM"), *plain = getenv("NO_COLOR");
	if (!p)
		return NULL;
	p->quiet = quiet;
	p->bar = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
	p->colour = p->bar && !(plain && *plain);
	p->plain = clock_seconds();
	return p;
}

void progress_free(progress *p)
{
	if (p)
		progress_clear(p);
	free(p);
}

void progress_clear(progress *p)
{
	if (!p || !p->shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	p->shown = false;
}

static void sample(progress *p, const imgsearch_progress *now, double t)
{
	if (strncmp(p->stage, now->stage, sizeof p->stage - 1) || now->done < p->last_done) {
		snprintf(p->stage, sizeof p->stage, "%s", now->stage);
		p->started = p->last = t;
		p->last_done = now->done;
		p->rate = 0;
	}
	double passed = t - p->last;
	if (passed < 0.5)
		return;
	double rate = (double)(now->done - p->last_done) / passed, keep = exp(-passed / 8);
	p->rate = p->rate > 0 ? keep * p->rate + (1 - keep) * rate : rate;
	p->last = t;
	p->last_done = now->done;
}

/* "1:10" or "2:03:04". */
static void format_time(char *out, size_t size, double seconds)
{
	unsigned long s = (unsigned long)(seconds + 0.5);
	if (s >= 3600)
		snprintf(out, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(out, size, "%lu:%02lu", s / 60, s % 60);
}

/* The parts before and after the bar. */
static void describe(const progress *p, const imgsearch_progress *now, char *head, char *tail,
	size_t size)
{
	char left[24];
	int at = 0;
	if (now->total)
		snprintf(head, size, "%s  %llu/%llu", now->stage, (unsigned long long)now->done,
			(unsigned long long)now->total);
	else
		snprintf(head, size, "%s  %llu", now->stage, (unsigned long long)now->done);
	tail[0] = 0;
	if (now->total)
		at += snprintf(tail + at, size - (size_t)at, "%3.0f %%",
			100.0 * (double)now->done / (double)now->total);
	if (p->rate > 0)
		at += snprintf(tail + at, size - (size_t)at, "  %.*f/s", p->rate < 10 ? 1 : 0, p->rate);
	if (p->rate > 0 && now->total > now->done) {
		format_time(left, sizeof left, (double)(now->total - now->done) / p->rate);
		at += snprintf(tail + at, size - (size_t)at, "  %s left", left);
	}
	if (now->loss == now->loss && !strcmp(now->stage, "train"))
		at += snprintf(tail + at, size - (size_t)at, "  loss %.4f", now->loss);
	if (now->accuracy == now->accuracy && !strcmp(now->stage, "train"))
		at += snprintf(tail + at, size - (size_t)at, "  accuracy %.3f", now->accuracy);
	if (now->failed)
		snprintf(tail + at, size - (size_t)at, "  %llu failed", (unsigned long long)now->failed);
}

static void draw(progress *p, const char *head, const char *tail, double share)
{
	struct winsize window;
	int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col ? window.ws_col
																				  : 80;
	int width = columns - (int)strlen(head) - (int)strlen(tail) - 8;
	char bar[41];
	fputs("\r\033[K", stderr);
	if (share < 0 || width < 10) {
		fprintf(stderr, "%.*s", columns - 1, head);
		if ((int)(strlen(head) + strlen(tail)) + 3 < columns)
			fprintf(stderr, "  %s", tail);
	} else {
		if (width > 40)
			width = 40;
		int full = (int)(share * width);
		memset(bar, ' ', (size_t)width);
		memset(bar, '=', (size_t)full);
		if (full < width)
			bar[full] = '>';
		bar[width] = 0;
		fprintf(stderr, "%s  [%s%s%s]  %s", head, p->colour ? "\033[32m" : "", bar,
			p->colour ? "\033[0m" : "", tail);
	}
	fflush(stderr);
	p->shown = true;
}

void progress_show(progress *p, const imgsearch_progress *now)
{
	char head[128], tail[160];
	double t = clock_seconds();
	if (!p || p->quiet)
		return;
	sample(p, now, t);
	if (!p->bar && t - p->plain < 30)
		return;
	describe(p, now, head, tail, sizeof head);
	if (p->bar) {
		double share = now->total ? (double)now->done / (double)now->total : -1;
		draw(p, head, tail, share > 1 ? 1 : share);
	} else {
		p->plain = t;
		fprintf(stderr, "imgsearch: %s  %s\n", head, tail);
	}
}
