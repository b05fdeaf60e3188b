/* Sources: ISO 6709 for positions; the tags of the Matroska specification. */
#include "meta/video.h"

#include <string.h>
#include <time.h>

/* ------------------------------------------------------------------------------- positions ---- */

/* Degrees at *at, which moves behind them: a sign, at most `most` digits, a fraction. */
static bool take_degrees(const char **at, size_t most, double *out)
{
	char text[24];
	const char *from = *at + 1;
	if (**at != '+' && **at != '-')
		return false;
	size_t whole = strspn(from, "0123456789");
	size_t all = whole + (from[whole] == '.' ? 1 + strspn(from + whole + 1, "0123456789") : 0);
	if (!whole || whole > most || all + 2 > sizeof text)
		return false;
	memcpy(text, from, all);
	text[all] = 0;
	*at = from + all;
	bool negative = from[-1] == '-', read = ims_parse_number(text, out);
	*out = negative ? -*out : *out;
	return read;
}

/* "+48.1370+011.5750/": degrees; forms with minutes have more digits and are left out. */
static void set_position(facts *f, const char *text)
{
	double latitude = 0, longitude = 0;
	if (take_degrees(&text, 2, &latitude) && take_degrees(&text, 3, &longitude))
		ims_facts_set_position(f, latitude, longitude);
}

/* ---------------------------------------------------------------------------------- values ---- */

/* A name behind those of its owner, which containers that came later repeat. */
static const char *own_name(const char *name)
{
	static const char *const owners[] = { "com.apple.quicktime.", "com.android." };
	for (size_t i = 0; i < sizeof owners / sizeof *owners; i++)
		if (ims_same_letters(name, owners[i], strlen(owners[i])))
			return name + strlen(owners[i]);
	return name;
}

video_value ims_video_tag(const void *name, size_t size)
{
	static const struct {
		const char *name;
		video_value kind;
	} tags[] = {
		{ "creationdate", VIDEO_DATE },
		{ "date_recorded", VIDEO_DATE },
		{ "date_digitized", VIDEO_OTHER_DATE },
		{ "date", VIDEO_OTHER_DATE },
		{ "location.iso6709", VIDEO_PLACE },
		{ "location", VIDEO_PLACE },
		{ "make", VIDEO_MAKE },
		{ "manufacturer", VIDEO_MAKE },
		{ "model", VIDEO_MODEL },
		{ "title", VIDEO_TITLE },
		{ "description", VIDEO_DESCRIPTION },
	};
	char text[48] = "";
	if (!size || size >= sizeof text)
		return VIDEO_NOTHING;
	memcpy(text, name, size);
	const char *own = own_name(text);
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
		if (strlen(own) == strlen(tags[i].name) && ims_same_letters(own, tags[i].name, strlen(own)))
			return tags[i].kind;
	return VIDEO_NOTHING;
}

/* Where a text waits for the end; NULL: nowhere. */
static char **waiting(video_facts *v, video_value kind)
{
	return kind == VIDEO_MAKE      ? &v->make
		: kind == VIDEO_MODEL      ? &v->model
		: kind == VIDEO_OTHER_DATE ? &v->other_date
								   : NULL;
}

void ims_video_take(video_facts *v, video_value kind, const void *data, size_t size)
{
	char *text = kind == VIDEO_NOTHING ? NULL : ims_fact_text(v->f, data, size);
	char **slot = waiting(v, kind);
	if (slot && !*slot) {
		*slot = text;
		return;
	}
	if (text && kind == VIDEO_DATE)
		ims_facts_set_date(v->f, text, NULL, v->from);
	else if (text && kind == VIDEO_PLACE)
		set_position(v->f, text);
	if (kind == VIDEO_TITLE || kind == VIDEO_DESCRIPTION)
		ims_facts_set(v->f, kind == VIDEO_TITLE ? FACT_TITLE : FACT_DESCRIPTION, text);
	else
		ims_free(text);
}

void ims_video_finish(video_facts *v)
{
	ims_fact_set_camera(v->f, v->make, v->model);
	if (v->other_date)
		ims_facts_set_date(v->f, v->other_date, NULL, v->from);
	ims_free(v->make);
	ims_free(v->model);
	ims_free(v->other_date);
}

void ims_video_set_clock(facts *f, int64_t seconds, const char *from)
{
	const int64_t most = 253402300799; /* the end of 9999 */
	char text[40];
	struct tm t;
	time_t clock = (time_t)seconds;
	if (seconds <= 0 || seconds > most || !gmtime_r(&clock, &t))
		return;
	ims_print(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", t.tm_year + 1900, t.tm_mon + 1,
		t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
	ims_facts_set_date(f, text, "Z", from);
}
