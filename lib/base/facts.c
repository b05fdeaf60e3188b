/* Facts: the first value that is set stays. */
#include "base/facts.h"

#include "base/alloc.h"
#include "base/c_locale.h"
#include "base/date.h"

#include <string.h>

const char *const ims_fact_names[FACTS] = { "date", "zone", "date_from", "camera", "lens",
	"latitude", "longitude", "rating", "keywords", "title", "description" };

int ims_fact_find(const char *name)
{
	for (int i = 0; i < FACTS; i++)
		if (strlen(name) == strlen(ims_fact_names[i])
			&& ims_same_letters(name, ims_fact_names[i], strlen(name)))
			return i;
	return -1;
}

void ims_facts_clear(facts *f)
{
	for (int i = 0; i < FACTS; i++)
		ims_free(f->value[i]);
	*f = (facts){ 0 };
}

void ims_facts_set(facts *f, int fact, char *text)
{
	if (f->value[fact])
		ims_free(text);
	else
		f->value[fact] = text;
}

static void set_copy(facts *f, int fact, const char *text)
{
	char *copy = f->value[fact] ? NULL : ims_strdup(text);
	f->nomem |= !f->value[fact] && !copy;
	ims_facts_set(f, fact, copy);
}

/* Whether two dates, the first as ims_date_parse gives it, are one wall clock to the second. */
static bool same_clock(const char *date, const char *other)
{
	enum { TO_SECONDS = 19 };
	return other && strlen(date) >= TO_SECONDS && !strncmp(other, date, TO_SECONDS);
}

void ims_facts_set_date(facts *f, const char *text, const char *zone, const char *from)
{
	char date[DATE_SIZE], own[ZONE_SIZE];
	if (!ims_date_parse(text, date, own))
		return;
	const char *known = f->value[FACT_DATE];
	if (zone && !*own && !ims_zone_parse(zone, own))
		own[0] = 0;
	if (known && !same_clock(date, known))
		return;
	if (*own)
		set_copy(f, FACT_ZONE, own);
	set_copy(f, FACT_DATE_FROM, from);
	set_copy(f, FACT_DATE, date);
}

void ims_facts_merge(facts *f, facts *from)
{
	bool has_date = f->value[FACT_DATE] != NULL, has_place = f->value[FACT_LATITUDE] != NULL;
	if (has_date && from->value[FACT_DATE])
		ims_facts_set_date(f, from->value[FACT_DATE], from->value[FACT_ZONE], "");
	for (int i = 0; i < FACTS; i++) {
		bool taken = (has_date && i <= FACT_DATE_FROM)
			|| (has_place && (i == FACT_LATITUDE || i == FACT_LONGITUDE));
		if (taken)
			continue;
		ims_facts_set(f, i, from->value[i]);
		from->value[i] = NULL;
	}
	f->nomem |= from->nomem;
	ims_facts_clear(from);
}

/* Degrees without zeros at the end: six digits are a tenth of a metre. */
static void set_degrees(facts *f, int fact, double degrees)
{
	char text[32];
	ims_print(text, sizeof text, "%.6f", degrees);
	size_t n = strlen(text);
	while (text[n - 1] == '0')
		text[--n] = 0;
	if (text[n - 1] == '.')
		text[n - 1] = 0;
	set_copy(f, fact, strcmp(text, "-0") ? text : "0");
}

void ims_facts_set_position(facts *f, double latitude, double longitude)
{
	bool valid = latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180
		&& (latitude != 0 || longitude != 0);
	if (!valid || f->value[FACT_LATITUDE])
		return;
	set_degrees(f, FACT_LATITUDE, latitude);
	set_degrees(f, FACT_LONGITUDE, longitude);
}

bool ims_fact_is_valid(int fact, const char *text)
{
	char date[DATE_SIZE], zone[ZONE_SIZE];
	double v = 0;
	switch (fact) {
	case FACT_DATE:
		return ims_date_parse(text, date, zone);
	case FACT_ZONE:
		return ims_zone_parse(text, zone);
	case FACT_LATITUDE:
		return ims_parse_number(text, &v) && v >= -90 && v <= 90;
	case FACT_LONGITUDE:
		return ims_parse_number(text, &v) && v >= -180 && v <= 180;
	case FACT_RATING:
		return ims_parse_number(text, &v);
	default:
		return *text != 0;
	}
}

static bool has_valid(const char *const *value, int fact)
{
	return value[fact] && ims_fact_is_valid(fact, value[fact]);
}

/* Zone and origin are those of the date, of the CSV where that is one. */
static void choose_date(const char **out, const char *const *csv, const char *const *own,
	char zone[ZONE_SIZE])
{
	char date[DATE_SIZE];
	if (!csv[FACT_DATE] || !ims_date_parse(csv[FACT_DATE], date, zone)) {
		out[FACT_ZONE] = own[FACT_ZONE] ? own[FACT_ZONE] : out[FACT_ZONE];
		return;
	}
	if (!has_valid(csv, FACT_ZONE))
		out[FACT_ZONE] = *zone ? zone : same_clock(date, own[FACT_DATE]) ? own[FACT_ZONE] : NULL;
	out[FACT_DATE_FROM] = csv[FACT_DATE_FROM] ? csv[FACT_DATE_FROM] : "CSV";
}

static void choose_position(const char **out, const char *const *csv, const char *const *own)
{
	bool both = has_valid(csv, FACT_LATITUDE) && has_valid(csv, FACT_LONGITUDE);
	if (both || !own[FACT_LATITUDE])
		return;
	out[FACT_LATITUDE] = own[FACT_LATITUDE];
	out[FACT_LONGITUDE] = own[FACT_LONGITUDE];
}

void ims_facts_choose(const char *out[FACTS], const char *const csv[FACTS],
	const char *const own[FACTS], char zone[ZONE_SIZE])
{
	for (int i = 0; i < FACTS; i++)
		out[i] = has_valid(csv, i) || !own[i] ? csv[i] : own[i];
	choose_date(out, csv, own, zone);
	choose_position(out, csv, own);
}

size_t ims_facts_size(const facts *f)
{
	size_t size = 0;
	for (int i = 0; i < FACTS; i++)
		size += f->value[i] ? strlen(f->value[i]) + 1 : 0;
	return size;
}
