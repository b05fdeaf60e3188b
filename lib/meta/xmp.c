/*
 * XMP: a scan of XML that knows elements, attributes and namespaces, and no entities but those of
 * XML itself. It looks for some properties of rdf:Description, as attributes or as elements, and
 * for the items of their lists. ISO 16684-1 (XMP), W3C XML 1.0 and its namespaces.
 */
#include "meta/meta.h"
#include "meta/xml.h"

#include <string.h>

enum { MAX_DEPTH = 64, MAX_PREFIXES = 128 };

typedef enum space {
	SPACE_OTHER,
	SPACE_RDF,
	SPACE_EXIF,
	SPACE_EXIF_EX,
	SPACE_AUX,
	SPACE_TIFF,
	SPACE_XMP,
	SPACE_PHOTOSHOP,
	SPACE_DC,
	SPACES
} space;

static const char *const space_names[SPACES] = {
	[SPACE_RDF] = "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
	[SPACE_EXIF] = "http://ns.adobe.com/exif/1.0/",
	[SPACE_EXIF_EX] = "http://cipa.jp/exif/1.0/",
	[SPACE_AUX] = "http://ns.adobe.com/exif/1.0/aux/",
	[SPACE_TIFF] = "http://ns.adobe.com/tiff/1.0/",
	[SPACE_XMP] = "http://ns.adobe.com/xap/1.0/",
	[SPACE_PHOTOSHOP] = "http://ns.adobe.com/photoshop/1.0/",
	[SPACE_DC] = "http://purl.org/dc/elements/1.1/",
};

/* Dates in their order of strength. */
typedef enum property {
	DATE_ORIGINAL,
	DATE_CREATED,
	CREATE_DATE,
	DATE_DIGITIZED,
	MAKE,
	MODEL,
	LENS,
	LENS_MODEL,
	LATITUDE,
	LONGITUDE,
	RATING,
	SUBJECT,
	TITLE,
	DESCRIPTION,
	PROPERTIES,
	NO_PROPERTY = PROPERTIES
} property;

static const struct {
	space space;
	const char *name, *shown;
} properties[PROPERTIES] = {
	[DATE_ORIGINAL] = { SPACE_EXIF, "DateTimeOriginal", "exif:DateTimeOriginal" },
	[DATE_CREATED] = { SPACE_PHOTOSHOP, "DateCreated", "photoshop:DateCreated" },
	[CREATE_DATE] = { SPACE_XMP, "CreateDate", "xmp:CreateDate" },
	[DATE_DIGITIZED] = { SPACE_EXIF, "DateTimeDigitized", "exif:DateTimeDigitized" },
	[MAKE] = { SPACE_TIFF, "Make", NULL },
	[MODEL] = { SPACE_TIFF, "Model", NULL },
	[LENS] = { SPACE_AUX, "Lens", NULL },
	[LENS_MODEL] = { SPACE_EXIF_EX, "LensModel", NULL },
	[LATITUDE] = { SPACE_EXIF, "GPSLatitude", NULL },
	[LONGITUDE] = { SPACE_EXIF, "GPSLongitude", NULL },
	[RATING] = { SPACE_XMP, "Rating", NULL },
	[SUBJECT] = { SPACE_DC, "subject", NULL },
	[TITLE] = { SPACE_DC, "title", NULL },
	[DESCRIPTION] = { SPACE_DC, "description", NULL },
};

/* Where an element stands. */
typedef enum place { OUTSIDE, IN_RDF, IN_DESCRIPTION, IN_PROPERTY, IN_LIST, IN_ITEM } place;

typedef struct prefix {
	span name;
	space space;
} prefix;

typedef struct element {
	place place;
	size_t n_prefixes; /* outside of it */
} element;

typedef struct xmp {
	facts *f;
	const char *at, *end;
	element open[MAX_DEPTH];
	size_t depth;
	prefix prefixes[MAX_PREFIXES];
	size_t n_prefixes;
	property property; /* of the open element in IN_PROPERTY */
	bool has_list;     /* it has items; its own text does not count */
	bool is_default;   /* the open item is that of the language x-default */
	buf text;          /* of the open property or item */
	bool bad_text;     /* it has an entity that is not known */
	char *value[PROPERTIES];
} xmp;

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---------------------------------------------------------------------------------- values ---- */

/* The first value of a property stays, but for that of x-default; a list of words grows. */
static void keep(xmp *x, property p, const buf *text)
{
	if (p == NO_PROPERTY || !text->len || text->failed)
		return;
	if (p == SUBJECT) {
		ims_fact_add_keyword(x->f, &x->value[p], text->data, text->len);
		return;
	}
	if (x->value[p] && !x->is_default)
		return;
	char *value = ims_fact_text(x->f, text->data, text->len);
	if (!value)
		return;
	ims_free(x->value[p]);
	x->value[p] = value;
}

static void end_text(xmp *x)
{
	x->f->nomem |= x->text.failed;
	if (!x->bad_text)
		keep(x, x->property, &x->text);
	x->text.len = 0;
	x->bad_text = false;
	x->is_default = false;
}

static void keep_attribute(xmp *x, property p, span value)
{
	buf text = { 0 };
	if (p != NO_PROPERTY && ims_xml_put_text(&text, value))
		keep(x, p, &text);
	x->f->nomem |= text.failed;
	ims_buf_free(&text);
}

/* ----------------------------------------------------------------------------------- names ---- */

/* Splits "dc:title". */
static span local_name(span name, span *before)
{
	const char *colon = memchr(name.at, ':', name.n);
	*before = (span){ name.at, colon ? (size_t)(colon - name.at) : 0 };
	return colon ? (span){ colon + 1, name.n - before->n - 1 } : name;
}

static space find_space(const xmp *x, span name)
{
	for (size_t i = x->n_prefixes; i-- > 0;)
		if (x->prefixes[i].name.n == name.n && !memcmp(x->prefixes[i].name.at, name.at, name.n))
			return x->prefixes[i].space;
	return SPACE_OTHER;
}

static bool is_rdf(const xmp *x, span name, const char *wanted)
{
	span before, local = local_name(name, &before);
	return ims_span_is(local, wanted) && find_space(x, before) == SPACE_RDF;
}

static property find_property(const xmp *x, span name)
{
	span before, local = local_name(name, &before);
	space s = find_space(x, before);
	property p = 0;
	while (p < PROPERTIES && (properties[p].space != s || !ims_span_is(local, properties[p].name)))
		p++;
	return p;
}

/* An attribute xmlns:prefix="uri". */
static void add_prefix(xmp *x, span name, span uri)
{
	span before, local = local_name(name, &before);
	bool default_one = ims_span_is(name, "xmlns");
	if ((!default_one && !ims_span_is(before, "xmlns")) || x->n_prefixes == MAX_PREFIXES)
		return;
	space s = SPACES - 1;
	while (s > SPACE_OTHER && !ims_span_is(uri, space_names[s]))
		s--;
	x->prefixes[x->n_prefixes++] = (prefix){ default_one ? (span){ name.at, 0 } : local, s };
}

/* ----------------------------------------------------------------------------------- scan ---- */

/* Moves behind a text; false: it does not come any more. */
static bool skip_past(xmp *x, const char *text)
{
	size_t n = strlen(text);
	const char *found = memmem(x->at, (size_t)(x->end - x->at), text, n);
	x->at = found ? found + n : x->end;
	return found;
}

static void skip_blanks(xmp *x)
{
	while (x->at < x->end && is_blank(*x->at))
		x->at++;
}

static span take_name(xmp *x)
{
	span s = { x->at, 0 };
	while (x->at < x->end && !is_blank(*x->at) && !memchr("=/><\"'", *x->at, 6))
		x->at++;
	s.n = (size_t)(x->at - s.at);
	return s;
}

/* The next attribute of a tag; false: there is none. */
static bool take_attribute(xmp *x, span *name, span *value)
{
	skip_blanks(x);
	*name = take_name(x);
	skip_blanks(x);
	if (!name->n || x->at == x->end || *x->at != '=')
		return false;
	x->at++;
	skip_blanks(x);
	if (x->at == x->end || (*x->at != '"' && *x->at != '\''))
		return false;
	char quote = *x->at++;
	const char *end = memchr(x->at, quote, (size_t)(x->end - x->at));
	if (!end)
		return false;
	*value = (span){ x->at, (size_t)(end - x->at) };
	x->at = end + 1;
	return true;
}

static place place_within(const xmp *x, span name)
{
	place outer = x->depth ? x->open[x->depth - 1].place : OUTSIDE;
	switch (outer) {
	case OUTSIDE:
		return is_rdf(x, name, "RDF") ? IN_RDF : OUTSIDE;
	case IN_RDF:
		return is_rdf(x, name, "Description") ? IN_DESCRIPTION : OUTSIDE;
	case IN_DESCRIPTION:
		return IN_PROPERTY;
	case IN_PROPERTY:
		return is_rdf(x, name, "Alt") || is_rdf(x, name, "Bag") || is_rdf(x, name, "Seq") ? IN_LIST
																						  : OUTSIDE;
	case IN_LIST:
		return is_rdf(x, name, "li") ? IN_ITEM : OUTSIDE;
	default:
		return OUTSIDE;
	}
}

/* The attributes from `from` on; namespaces first, since they hold for all. */
static void read_attributes(xmp *x, const char *from, place at, bool namespaces)
{
	span name, value;
	x->at = from;
	while (take_attribute(x, &name, &value))
		if (namespaces)
			add_prefix(x, name, value);
		else if (at == IN_DESCRIPTION)
			keep_attribute(x, find_property(x, name), value);
		else if (at == IN_ITEM && ims_span_is(name, "xml:lang"))
			x->is_default = ims_span_is(value, "x-default");
}

static void close_element(xmp *x)
{
	if (!x->depth)
		return;
	element e = x->open[--x->depth];
	if (e.place == IN_ITEM || (e.place == IN_PROPERTY && !x->has_list))
		end_text(x);
	x->n_prefixes = e.n_prefixes;
}

/* A tag that begins an element, behind its "<". False: it is malformed, or nested too deep. */
static bool open_element(xmp *x)
{
	span name = take_name(x);
	const char *attributes = x->at;
	if (!name.n || x->depth == MAX_DEPTH)
		return false;
	element *e = &x->open[x->depth];
	e->n_prefixes = x->n_prefixes;
	read_attributes(x, attributes, OUTSIDE, true);
	e->place = place_within(x, name);
	if (e->place == IN_PROPERTY) {
		x->property = find_property(x, name);
		x->has_list = false;
	}
	x->has_list |= e->place == IN_LIST;
	if (e->place == IN_PROPERTY || e->place == IN_ITEM) {
		x->text.len = 0;
		x->bad_text = false;
	}
	read_attributes(x, attributes, e->place, false);
	x->depth++;
	skip_blanks(x);
	bool empty = x->at < x->end && *x->at == '/';
	x->at += empty;
	if (x->at == x->end || *x->at++ != '>')
		return false;
	if (empty)
		close_element(x);
	return true;
}

static void add_text(xmp *x, span s, bool raw)
{
	place at = x->depth ? x->open[x->depth - 1].place : OUTSIDE;
	if (at != IN_ITEM && at != IN_PROPERTY)
		return;
	if (raw && x->text.len < IMS_XML_TEXT_MAX)
		ims_buf_put(&x->text, s.at, s.n);
	else if (!raw && !ims_xml_put_text(&x->text, s))
		x->bad_text = true;
}

static bool begins(const xmp *x, const char *text)
{
	size_t n = strlen(text);
	return (size_t)(x->end - x->at) >= n && !memcmp(x->at, text, n);
}

/* What stands behind a "<". False: the scan ends. */
static bool take_tag(xmp *x)
{
	if (begins(x, "?"))
		return skip_past(x, "?>");
	if (begins(x, "!--"))
		return skip_past(x, "-->");
	if (begins(x, "![CDATA[")) {
		const char *from = x->at + strlen("![CDATA[");
		x->at = from;
		if (!skip_past(x, "]]>"))
			return false;
		add_text(x, (span){ from, (size_t)(x->at - from) - 3 }, true);
		return true;
	}
	if (begins(x, "!")) /* a document type, of which none is needed */
		return false;
	if (begins(x, "/")) {
		close_element(x);
		return skip_past(x, ">");
	}
	return open_element(x);
}

static void scan(xmp *x)
{
	bool more = true;
	while (more && x->at < x->end) {
		const char *tag = memchr(x->at, '<', (size_t)(x->end - x->at));
		const char *to = tag ? tag : x->end;
		add_text(x, (span){ x->at, (size_t)(to - x->at) }, false);
		x->at = tag ? tag + 1 : x->end;
		more = tag && take_tag(x);
	}
}

/* ----------------------------------------------------------------------------------- facts ---- */

/* "48,8,27N", "48,8.45N": degrees, minutes, seconds and a direction. */
static bool degrees_of(const char *text, const char *directions, double *out)
{
	size_t n = text ? strlen(text) : 0;
	double scale = 1;
	if (n < 2 || n > 60 || (text[n - 1] != directions[0] && text[n - 1] != directions[1]))
		return false;
	*out = 0;
	for (const char *at = text, *end = text + n - 1; at < end; scale *= 60) {
		char part[64];
		double v;
		size_t digits = strcspn(at, ",");
		digits = at + digits > end ? (size_t)(end - at) : digits;
		memcpy(part, at, digits);
		part[digits] = 0;
		if (!ims_parse_number(part, &v) || v < 0 || scale > 3600)
			return false;
		*out += v / scale;
		at += digits + 1;
	}
	if (text[n - 1] == directions[1])
		*out = -*out;
	return true;
}

static void set_dates(xmp *x, bool sidecar)
{
	for (property p = DATE_ORIGINAL; p <= DATE_DIGITIZED; p++) {
		char from[64];
		ims_print(from, sizeof from, "%s %s", sidecar ? "sidecar" : "XMP", properties[p].shown);
		if (x->value[p])
			ims_facts_set_date(x->f, x->value[p], NULL, from);
	}
}

static void move(xmp *x, int fact, property p)
{
	ims_facts_set(x->f, fact, x->value[p]);
	x->value[p] = NULL;
}

static void set_facts(xmp *x, bool sidecar)
{
	double latitude, longitude, rating;
	set_dates(x, sidecar);
	ims_fact_set_camera(x->f, x->value[MAKE], x->value[MODEL]);
	move(x, FACT_LENS, x->value[LENS] ? LENS : LENS_MODEL);
	if (degrees_of(x->value[LATITUDE], "NS", &latitude)
		&& degrees_of(x->value[LONGITUDE], "EW", &longitude))
		ims_facts_set_position(x->f, latitude, longitude);
	if (x->value[RATING] && ims_parse_number(x->value[RATING], &rating))
		ims_fact_set_rating(x->f, rating);
	move(x, FACT_KEYWORDS, SUBJECT);
	move(x, FACT_TITLE, TITLE);
	move(x, FACT_DESCRIPTION, DESCRIPTION);
}

void ims_facts_add_xmp(facts *f, const void *data, size_t size, bool sidecar)
{
	xmp *x = size ? ims_zalloc(1, sizeof *x) : NULL;
	f->nomem |= size && !x;
	if (!x)
		return;
	x->f = f;
	x->at = data;
	x->end = x->at + size;
	x->property = NO_PROPERTY;
	scan(x);
	set_facts(x, sidecar);
	for (int i = 0; i < PROPERTIES; i++)
		ims_free(x->value[i]);
	ims_buf_free(&x->text);
	ims_free(x);
}
