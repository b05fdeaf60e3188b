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

void ims_facts_set_date(facts *f, const char *text, const char *zone, const char *from)
{
	enum { TO_SECONDS = 19 };
	char date[DATE_SIZE], own[ZONE_SIZE];
	if (!ims_date_parse(text, date, own))
		return;
	const char *known = f->value[FACT_DATE];
	if (zone && !*own && !ims_zone_parse(zone, own))
		own[0] = 0;
	bool same = known && strlen(date) >= TO_SECONDS && !strncmp(known, date, TO_SECONDS);
	if (known && !same)
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

size_t ims_facts_size(const facts *f)
{
	size_t size = 0;
	for (int i = 0; i < FACTS; i++)
		size += f->value[i] ? strlen(f->value[i]) + 1 : 0;
	return size;
}
