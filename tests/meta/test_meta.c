/* Facts of blocks: each value and its neighbours, precedence, and what is no valid value. */
#include "base/date.h"
#include "meta/meta.h"

#include "blocks.h"
#include "test.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *get(const facts *f, int fact)
{
	return f->value[fact] ? f->value[fact] : "-";
}

#define is(f, fact, text) assert_string_equal(get(f, fact), text)

static void read_tags(facts *f, bool big, const tag_entry *e, size_t n)
{
	buf block = { 0 };
	put_exif(&block, big, e, n);
	assert_false(block.failed);
	ims_facts_add_exif(f, block.data, block.len);
	ims_buf_free(&block);
	assert_false(f->nomem);
}

static void read_xmp(facts *f, const char *text)
{
	ims_facts_add_xmp(f, text, strlen(text), false);
	assert_false(f->nomem);
}

/* ----------------------------------------------------------------------------------- dates ---- */

static void dates_and_zones(void **state)
{
	static const struct {
		const char *text, *date, *zone; /* date NULL: none */
	} cases[] = {
		{ "2024:05:03 14:05:09", "2024-05-03T14:05:09", "" },
		{ "2024-05-03T14:05:09+02:00", "2024-05-03T14:05:09", "+02:00" },
		{ "2024-05-03T14:05:09.250Z", "2024-05-03T14:05:09.25", "+00:00" },
		{ "2024-05-03 14:05:09,1 -0330", "2024-05-03T14:05:09.1", "-03:30" },
		{ "2024-05-03T14:05:09.000", "2024-05-03T14:05:09", "" },
		{ "2024-05-03T14:05", "2024-05-03T14:05", "" },
		{ "2024-05-03T14:05+05:45", "2024-05-03T14:05", "+05:45" },
		{ "2024-05-03T14:05+14:00", "2024-05-03T14:05", "+14:00" },
		{ "2024-05-03T14:05+14:01", "2024-05-03T14:05", "" },
		{ "2024-05-03T14:05+99", "2024-05-03T14:05", "" },
		{ "2024-05-03", "2024-05-03", "" },
		{ "2024-05", "2024-05", "" },
		{ "2024", "2024", "" },
		{ " 2024 ", "2024", "" },
		{ "0001-01-01", "0001-01-01", "" },
		{ "9999-12-31T23:59:59", "9999-12-31T23:59:59", "" },
		{ "2024-02-29", "2024-02-29", "" },
		{ "2000-02-29", "2000-02-29", "" },
		{ "2023-02-29", NULL, NULL },
		{ "1900-02-29", NULL, NULL },
		{ "0000:00:00 00:00:00", NULL, NULL },
		{ "0000:00:00", NULL, NULL },
		{ "2024:00:01", NULL, NULL },
		{ "2024:13:01", NULL, NULL },
		{ "2024:12:00", NULL, NULL },
		{ "2024:12:32", NULL, NULL },
		{ "2024:04:31", NULL, NULL },
		{ "2024:05:03 24:00:00", NULL, NULL },
		{ "2024:05:03 23:60:00", NULL, NULL },
		{ "2024:05:03 23:59:60", NULL, NULL },
		{ "    :  :     :  :  ", NULL, NULL },
		{ "24:05:03 14:05:09", NULL, NULL },
		{ "2024-5-3", NULL, NULL },
		{ "2024-05-03x", NULL, NULL },
		{ "20240503", NULL, NULL },
		{ "yesterday", NULL, NULL },
		{ "", NULL, NULL },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char date[DATE_SIZE], zone[ZONE_SIZE];
		bool good = ims_date_parse(cases[i].text, date, zone);
		if (good != (cases[i].date != NULL))
			fail_msg("%s: %s", cases[i].text, good ? date : "no date");
		if (good) {
			assert_string_equal(date, cases[i].date);
			assert_string_equal(zone, cases[i].zone);
		}
	}
}

static void exif_dates(void **state)
{
	const tag_entry all[] = {
		TEXT_TAG(0, 0x0132, "2024:05:05 10:00:00"),
		TEXT_TAG(1, 0x9003, "2024:05:03 14:05:09"),
		TEXT_TAG(1, 0x9004, "2024:05:04 10:00:00"),
		TEXT_TAG(1, 0x9011, "+02:00"),
		TEXT_TAG(1, 0x9291, "250"),
	};
	(void)state;
	for (int big = 0; big < 2; big++) {
		facts f = { 0 };
		read_tags(&f, big, all, COUNT(all));
		is(&f, FACT_DATE, "2024-05-03T14:05:09.25");
		is(&f, FACT_ZONE, "+02:00");
		is(&f, FACT_DATE_FROM, "Exif DateTimeOriginal");
		ims_facts_clear(&f);
	}
	const tag_entry weaker[] = {
		all[0],
		TEXT_TAG(1, 0x9003, "0000:00:00 00:00:00"),
		all[2],
		all[3],
		TEXT_TAG(1, 0x9012, "nonsense"),
	};
	facts f = { 0 };
	read_tags(&f, false, weaker, COUNT(weaker));
	is(&f, FACT_DATE, "2024-05-04T10:00:00");
	is(&f, FACT_ZONE, "-"); /* that of the original date is not the digitized one's */
	is(&f, FACT_DATE_FROM, "Exif DateTimeDigitized");
	ims_facts_clear(&f);
	read_tags(&f, true, all, 1);
	is(&f, FACT_DATE, "2024-05-05T10:00:00");
	is(&f, FACT_DATE_FROM, "Exif DateTime");
	ims_facts_clear(&f);
}

/* XMP has the same wall clock without a zone, which Exif knows. That of another is not taken. */
static void zones_of_other_places(void **state)
{
	const tag_entry exif[] = {
		TEXT_TAG(1, 0x9003, "2024:05:03 14:05:09"),
		TEXT_TAG(1, 0x9011, "+02:00"),
	};
	facts f = { 0 };
	(void)state;
	read_xmp(&f, XMP("xmp:CreateDate='2024-05-03T14:05:09'", ""));
	read_tags(&f, false, exif, 2);
	is(&f, FACT_ZONE, "+02:00");
	is(&f, FACT_DATE_FROM, "XMP xmp:CreateDate");
	ims_facts_clear(&f);
	read_xmp(&f, XMP("xmp:CreateDate='2024-05-03T13:05:09'", ""));
	read_tags(&f, false, exif, 2);
	is(&f, FACT_DATE, "2024-05-03T13:05:09");
	is(&f, FACT_ZONE, "-");
	ims_facts_clear(&f);
}

/* ------------------------------------------------------------------------------------ exif ---- */

static void cameras(void **state)
{
	static const struct {
		const char *make, *model, *camera;
	} cases[] = {
		{ "Canon", "Canon EOS 5D", "Canon EOS 5D" },
		{ "NIKON CORPORATION", "NIKON D750  ", "NIKON D750" },
		{ "Apple", "iPhone 12", "Apple iPhone 12" },
		{ "Canon", NULL, "Canon" },
		{ NULL, "X100", "X100" },
		{ "  ", "X100", "X100" },
		{ "\xFF\xFE", "X100", "X100" },
		{ "Pana\nsonic", "G9", "Pana sonic G9" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		tag_entry e[2];
		size_t n = 0;
		facts f = { 0 };
		if (cases[i].make)
			e[n++] = (tag_entry)TEXT_TAG(0, 0x010F, cases[i].make);
		if (cases[i].model)
			e[n++] = (tag_entry)TEXT_TAG(0, 0x0110, cases[i].model);
		read_tags(&f, i % 2, e, n);
		is(&f, FACT_CAMERA, cases[i].camera);
		ims_facts_clear(&f);
	}
}

static const uint8_t north[] = { 0, 0, 0, 48, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0x0A, 0x8C,
	0, 0, 0, 100 }; /* 48 degrees 8 minutes 27 seconds, big-endian */
static const uint8_t east[] = { 0, 0, 0, 11, 0, 0, 0, 1, 0, 0, 0, 34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
	0, 1 };
static const uint8_t zeros[24] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
	0, 1 };
static const uint8_t over_zero[24] = { 0, 0, 0, 48 };
static const uint8_t too_far[24] = { 0, 0, 0, 91, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0,
	0, 0, 1 };

static void positions(void **state)
{
	static const struct {
		const uint8_t *latitude, *longitude;
		const char *ns, *ew, *shown_latitude, *shown_longitude;
	} cases[] = {
		{ north, east, "N", "E", "48.140833", "11.566667" },
		{ north, east, "S", "W", "-48.140833", "-11.566667" },
		{ zeros, east, "N", "E", "0", "11.566667" },
		{ zeros, east, "S", "E", "0", "11.566667" },
		{ north, east, "X", "E", "-", "-" },
		{ zeros, zeros, "N", "E", "-", "-" },
		{ over_zero, east, "N", "E", "-", "-" },
		{ too_far, east, "N", "E", "-", "-" },
		{ north, zeros, "N", "E", "48.140833", "0" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const tag_entry e[] = {
			TEXT_TAG(2, 1, cases[i].ns),
			{ 2, 2, 5, 3, cases[i].latitude },
			TEXT_TAG(2, 3, cases[i].ew),
			{ 2, 4, 5, 3, cases[i].longitude },
		};
		facts f = { 0 };
		read_tags(&f, true, e, COUNT(e));
		is(&f, FACT_LATITUDE, cases[i].shown_latitude);
		is(&f, FACT_LONGITUDE, cases[i].shown_longitude);
		ims_facts_clear(&f);
	}
}

static void texts_of_exif(void **state)
{
	const tag_entry e[] = {
		TEXT_TAG(0, 0x010E, "  A day at the sea "),
		{ 0, 0x4746, 3, 1, "\4\0" },
		{ 0, 0x9C9B, 1, 8, "M\0\xEC\0r\0\0\0" },                /* "Mìr" */
		{ 0, 0x9C9E, 1, 20, "s\0e\0a\0;\0 \0b\0o\0a\0t\0;\0" }, /* a separator at its end */
		TEXT_TAG(1, 0xA434, "EF50mm f/1.8 STM"),
	};
	facts f = { 0 };
	(void)state;
	read_tags(&f, false, e, COUNT(e));
	is(&f, FACT_DESCRIPTION, "A day at the sea");
	is(&f, FACT_RATING, "4");
	is(&f, FACT_TITLE, "M\xC3\xACr");
	is(&f, FACT_KEYWORDS, "sea; boat");
	is(&f, FACT_LENS, "EF50mm f/1.8 STM");
	ims_facts_clear(&f);
	const tag_entry bad[] = {
		{ 0, 0x4746, 3, 1, "\6\0" },         /* above 5 */
		{ 0, 0x9C9B, 1, 4, "\x00\xD8\0\0" }, /* half of a surrogate pair */
	};
	read_tags(&f, false, bad, COUNT(bad));
	is(&f, FACT_RATING, "-");
	is(&f, FACT_TITLE, "-");
	ims_facts_clear(&f);
}

/* Directories that point at themselves, values outside, counts that overflow: nothing, quickly. */
static void hostile_exif(void **state)
{
	static const uint8_t loop[] = "II*\0\x08\0\0\0\x02\0"
								  "\x69\x87\4\0\1\0\0\0\x08\0\0\0" /* Exif's is the first one */
								  "\x25\x88\4\0\1\0\0\0\xFF\xFF\xFF\xFF";
	static const uint8_t overflow[] = "MM\0*\0\0\0\x08\xFF\xFF"
									  "\x01\x0F\0\2\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
									  "\x01\x10\0\2\0\0\0\x20\0\0\0\x10";
	facts f = { 0 };
	(void)state;
	ims_facts_add_exif(&f, loop, sizeof loop);
	ims_facts_add_exif(&f, overflow, sizeof overflow);
	ims_facts_add_exif(&f, overflow, 3);
	ims_facts_add_exif(&f, NULL, 0);
	for (int i = 0; i < FACTS; i++)
		is(&f, i, "-");
	ims_facts_clear(&f);
}

/* ------------------------------------------------------------------------------------- xmp ---- */

/* Semicolons and quotes in keywords are told from those between them. */
static void keywords_with_semicolons(void **state)
{
	static const char text[] = XMP("",
		"<dc:subject><rdf:Bag><rdf:li>a; b</rdf:li><rdf:li>b</rdf:li><rdf:li>b\"</rdf:li>"
		"<rdf:li>a; b</rdf:li><rdf:li>\"a\"; c</rdf:li><rdf:li>d, e</rdf:li><rdf:li>b\"</rdf:li>"
		"</rdf:Bag></dc:subject>");
	facts f = { 0 };
	(void)state;
	read_xmp(&f, text);
	is(&f, FACT_KEYWORDS, "\"a; b\"; b; b\"; \"\"\"a\"\"; c\"; d, e");
	ims_facts_clear(&f);
}

static void xmp_forms(void **state)
{
	static const char elements[] = XMP("xmp:Rating='3'",
		"<xmp:CreateDate>2024-05-03T14:05:09+02:00</xmp:CreateDate>"
		"<tiff:Make>Canon</tiff:Make><tiff:Model>EOS &amp; 5&#x44;</tiff:Model>"
		"<aux:Lens><![CDATA[50mm <f/1.8>]]></aux:Lens>"
		"<exif:GPSLatitude>48,8,27N</exif:GPSLatitude>"
		"<exif:GPSLongitude>11,34.0000W</exif:GPSLongitude>"
		"<dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>K&#xF6;ln</rdf:li><rdf:li>sea</rdf:li>"
		"</rdf:Bag></dc:subject>"
		"<dc:title><rdf:Alt><rdf:li xml:lang='de'>Meer</rdf:li>"
		"<rdf:li xml:lang='x-default'>Sea</rdf:li><rdf:li xml:lang='fr'>Mer</rdf:li></rdf:Alt>"
		"</dc:title><dc:description>plain</dc:description>");
	static const char attributes[] = XMP("photoshop:DateCreated='2024-05' tiff:Model=\"X100\"", "");
	/* another prefix for a namespace, and a known prefix for another one */
	static const char renamed[] =
		"<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><r:Description "
		"xmlns:q='http://ns.adobe.com/xap/1.0/' xmlns:dc='http://example.com/' q:Rating='-1'>"
		"<dc:title>not this</dc:title></r:Description></r:RDF>";
	facts f = { 0 };
	(void)state;
	read_xmp(&f, elements);
	is(&f, FACT_DATE, "2024-05-03T14:05:09");
	is(&f, FACT_ZONE, "+02:00");
	is(&f, FACT_DATE_FROM, "XMP xmp:CreateDate");
	is(&f, FACT_CAMERA, "Canon EOS & 5D");
	is(&f, FACT_LENS, "50mm <f/1.8>");
	is(&f, FACT_LATITUDE, "48.140833");
	is(&f, FACT_LONGITUDE, "-11.566667");
	is(&f, FACT_RATING, "3");
	is(&f, FACT_KEYWORDS, "sea; K\xC3\xB6ln");
	is(&f, FACT_TITLE, "Sea");
	is(&f, FACT_DESCRIPTION, "plain");
	ims_facts_clear(&f);
	read_xmp(&f, attributes);
	is(&f, FACT_DATE, "2024-05");
	is(&f, FACT_DATE_FROM, "XMP photoshop:DateCreated");
	is(&f, FACT_CAMERA, "X100");
	ims_facts_clear(&f);
	read_xmp(&f, renamed);
	is(&f, FACT_RATING, "-1");
	is(&f, FACT_TITLE, "-");
	ims_facts_clear(&f);
}

static void hostile_xmp(void **state)
{
	static const char *const bad[] = {
		XMP("xmp:Rating='6'", ""),
		XMP("xmp:Rating='nan'", ""),
		XMP("xmp:Rating='1e999'", ""),
		XMP("xmp:Rating='0x3'", ""),
		XMP("xmp:CreateDate='0000-00-00'", ""),
		XMP("", "<dc:title>&lol;</dc:title>"),
		XMP("", "<dc:title>&#xD800;</dc:title>"),
		XMP("", "<dc:title>&#0;</dc:title>"),
		XMP("", "<dc:title>\xFF\xFE</dc:title>"),
		XMP("exif:GPSLatitude='48,8,27N' exif:GPSLongitude='11'", ""),
		XMP("exif:GPSLatitude='99,8,27N' exif:GPSLongitude='11,0E'", ""),
		XMP("exif:GPSLatitude='1,2,3,4N' exif:GPSLongitude='11,0E'", ""),
		"<!DOCTYPE x [<!ENTITY a 'b'>]>" XMP("xmp:Rating='3'", ""),
		"<rdf:Description xmp:Rating='3'>",
		"<",
		"<a b",
		"<a b=",
		"<a b='",
		"<![CDATA[",
		"<!--",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		facts f = { 0 };
		read_xmp(&f, bad[i]);
		for (int k = 0; k < FACTS; k++)
			is(&f, k, "-");
		ims_facts_clear(&f);
	}
	buf deep = { 0 };
	facts f = { 0 };
	for (int i = 0; i < 100000; i++)
		ims_buf_put(&deep, "<a>", 3);
	ims_facts_add_xmp(&f, deep.data, deep.len, false);
	is(&f, FACT_TITLE, "-");
	ims_buf_free(&deep);
}

/* A text is cut off before the character that passes 4 KiB. */
static void long_texts(void **state)
{
	buf text = { 0 };
	facts f = { 0 };
	(void)state;
	ims_buf_text(&text, "%s", XMP_HEAD "><dc:title>");
	for (int i = 0; i < 3000; i++)
		ims_buf_put(&text, i ? "\xC3\xB6" : "ab\xC3\xB6", i ? 2 : 4);
	ims_buf_text(&text, "%s", "</dc:title>" XMP_TAIL);
	ims_facts_add_xmp(&f, text.data, text.len, false);
	assert_int_equal(strlen(f.value[FACT_TITLE]), 4096);
	ims_facts_clear(&f);
	ims_buf_free(&text);
	ims_buf_text(&text, "%s", XMP_HEAD "><dc:title>a");
	for (int i = 0; i < 3000; i++)
		ims_buf_put(&text, "\xC3\xB6", 2);
	ims_buf_text(&text, "%s", "</dc:title>" XMP_TAIL);
	ims_facts_add_xmp(&f, text.data, text.len, false);
	assert_int_equal(strlen(f.value[FACT_TITLE]), 4095);
	ims_facts_clear(&f);
	ims_buf_free(&text);
}

/* ------------------------------------------------------------------------------------ iptc ---- */

static void iptc(void **state)
{
	buf block = { 0 };
	facts f = { 0 };
	(void)state;
	put_iptc(&block, 5, "A title");
	put_iptc(&block, 25, "sea");
	put_iptc(&block, 25, "K\xF6ln"); /* Latin-1 */
	put_iptc(&block, 25, "boat");
	put_iptc(&block, 55, "20240503");
	put_iptc(&block, 60, "140509-0330");
	put_iptc(&block, 120, "What it shows");
	ims_facts_add_iptc(&f, block.data, block.len);
	is(&f, FACT_TITLE, "A title");
	is(&f, FACT_KEYWORDS, "sea; K\xC3\xB6ln; boat");
	is(&f, FACT_DATE, "2024-05-03T14:05:09");
	is(&f, FACT_ZONE, "-03:30");
	is(&f, FACT_DATE_FROM, "IPTC DateCreated");
	is(&f, FACT_DESCRIPTION, "What it shows");
	ims_facts_clear(&f);
	ims_facts_add_iptc(&f, block.data, 11); /* cut off within the title */
	is(&f, FACT_TITLE, "-");
	block.len = 0;
	put_iptc(&block, 55, "00000000");
	ims_facts_add_iptc(&f, block.data, block.len);
	is(&f, FACT_DATE, "-");
	ims_buf_free(&block);
}

/* ------------------------------------------------------------------------------ precedence ---- */

/* UTF-8 where it is that, or is said to be; else Windows-1252. */
static void encodings_of_iptc(void **state)
{
	static const char escape[] = { 0x1C, 1, 90, 0, 3, 0x1B, '%', 'G' };
	buf block = { 0 };
	facts f = { 0 };
	(void)state;
	put_iptc(&block, 5,
		"Gr\xFC\xDF"
		"e \x80\x81");
	put_iptc(&block, 25, "K\xC3\xB6ln");
	put_iptc(&block, 25,
		"\xC3\xB6"
		"ffentlich \xC3"); /* cut off */
	ims_facts_add_iptc(&f, block.data, block.len);
	is(&f, FACT_TITLE,
		"Gr\xC3\xBC\xC3\x9F"
		"e \xE2\x82\xAC\xEF\xBF\xBD");
	is(&f, FACT_KEYWORDS,
		"K\xC3\xB6ln; \xC3\xB6"
		"ffentlich");
	ims_facts_clear(&f);
	block.len = 0;
	ims_buf_put(&block, escape, sizeof escape);
	put_iptc(&block, 5,
		"Gr\xFC\xDF"
		"e von uns");
	put_iptc(&block, 25, "K\xC3\xB6ln");
	ims_facts_add_iptc(&f, block.data, block.len);
	is(&f, FACT_TITLE, "-");
	is(&f, FACT_KEYWORDS, "K\xC3\xB6ln");
	ims_facts_clear(&f);
	ims_buf_free(&block);
}

/* ----------------------------------------------------------------------------------- video ---- */

/* A box around the bytes of another buffer, which becomes empty. */
static void put_box(buf *out, const char *type, buf *in)
{
	put_number(out, true, (uint32_t)in->len + 8, 4);
	ims_buf_put(out, type, 4);
	ims_buf_put(out, in->data, in->len);
	in->len = 0;
}

/* The header of a movie that was made at this time, of version 0. */
static void put_header(buf *out, uint32_t seconds)
{
	buf b = { 0 };
	put_number(&b, true, 0, 4);
	put_number(&b, true, seconds, 4);
	put_number(&b, true, 0, 4);
	put_box(out, "mvhd", &b);
	ims_buf_free(&b);
}

/* User data: a text with its length and language. */
static void put_user_text(buf *out, const char *type, const char *text)
{
	buf b = { 0 };
	put_number(&b, true, (uint32_t)strlen(text), 2);
	put_number(&b, true, 0x15C7, 2);
	ims_buf_put(&b, text, strlen(text));
	put_box(out, type, &b);
	ims_buf_free(&b);
}

/* Keys and items as Apple writes them. version: as MP4 has it before them. */
static void put_items(buf *out, bool version, const char *const *pairs, uint32_t n)
{
	buf keys = { 0 }, items = { 0 }, one = { 0 }, in = { 0 };
	put_number(&keys, true, 0, 4);
	put_number(&keys, true, n, 4);
	for (uint32_t i = 0; i < n; i++) {
		ims_buf_put(&one, pairs[2 * i], strlen(pairs[2 * i]));
		put_box(&keys, "mdta", &one);
		put_number(&in, true, 1, 4);
		put_number(&in, true, 0, 4);
		ims_buf_put(&in, pairs[2 * i + 1], strlen(pairs[2 * i + 1]));
		put_box(&one, "data", &in);
		const char number[] = { 0, 0, 0, (char)(i + 1) };
		put_box(&items, number, &one);
	}
	if (version)
		put_number(&in, true, 0, 4);
	put_box(&in, "keys", &keys);
	put_box(&in, "ilst", &items);
	put_box(out, "meta", &in);
	ims_buf_free(&keys);
	ims_buf_free(&items);
	ims_buf_free(&one);
	ims_buf_free(&in);
}

/* A file with this movie, whose buffer becomes empty; what is cut off at its end is absent. */
static void read_movie(facts *f, buf *movie, size_t cut)
{
	buf file = { 0 }, type = { 0 };
	ims_facts_clear(f);
	ims_buf_put(&type, "qt  ", 4);
	put_box(&file, "ftyp", &type);
	put_box(&file, "moov", movie);
	ims_facts_from_file(f, file.data, file.len - cut);
	ims_buf_free(&file);
	ims_buf_free(&type);
}

#define MAY_2024 (2082844800u + 1714739109u) /* 2024-05-03T12:25:09Z, from 1904 on */

static void videos(void **state)
{
	static const char *const pairs[] = { "com.apple.quicktime.make", "Apple",
		"com.apple.quicktime.model", "iPhone 15", "com.apple.quicktime.creationdate",
		"2024-05-03T14:25:09+0200", "com.apple.quicktime.location.ISO6709",
		"+48.1370-011.5750+519.000/", "mdta.other", "x" };
	facts f = { 0 };
	buf movie = { 0 }, user = { 0 };
	(void)state;
	for (int version = 0; version < 2; version++) {
		put_header(&movie, MAY_2024);
		put_items(&movie, version, pairs, 5);
		read_movie(&f, &movie, 0);
		is(&f, FACT_DATE, "2024-05-03T14:25:09");
		is(&f, FACT_ZONE, "+02:00");
		is(&f, FACT_DATE_FROM, "QuickTime creationdate");
		is(&f, FACT_CAMERA, "Apple iPhone 15");
		is(&f, FACT_LATITUDE, "48.137");
		is(&f, FACT_LONGITUDE, "-11.575");
	}
	put_header(&movie, (uint32_t)MAY_2024);
	put_user_text(&user, "\xA9xyz", "+48.1370+011.5750/");
	put_user_text(&user, "\xA9mod", "Pixel 8");
	put_box(&movie, "udta", &user);
	read_movie(&f, &movie, 0);
	is(&f, FACT_DATE, "2024-05-03T12:25:09"); /* where no zone is known: in UTC */
	is(&f, FACT_ZONE, "+00:00");
	is(&f, FACT_DATE_FROM, "QuickTime mvhd (UTC)");
	is(&f, FACT_CAMERA, "Pixel 8");
	is(&f, FACT_LONGITUDE, "11.575");
	put_header(&movie, 0);
	put_user_text(&user, "\xA9xyz", "+4808.22+01134.50/");
	put_box(&movie, "udta", &user);
	read_movie(&f, &movie, 0);
	is(&f, FACT_DATE, "-");
	is(&f, FACT_LATITUDE, "-");
	put_header(&movie, (uint32_t)MAY_2024);
	read_movie(&f, &movie, 1); /* the movie is no whole box */
	is(&f, FACT_DATE, "-");
	ims_facts_clear(&f);
	ims_buf_free(&movie);
	ims_buf_free(&user);
}

/* What iTunes and ffmpeg write: items with types in the user data; a place with binary degrees. */
static void videos_with_typed_items(void **state)
{
	facts f = { 0 };
	buf movie = { 0 }, user = { 0 }, in = { 0 }, one = { 0 }, items = { 0 };
	static const char *const pairs[] = { "\xA9nam", "A title",
		"\xA9"
		"day",
		"2024-05-03", "desc", "What it shows" };
	(void)state;
	for (int i = 0; i < 6; i += 2) {
		put_number(&in, true, 1, 4);
		put_number(&in, true, 0, 4);
		ims_buf_put(&in, pairs[i + 1], strlen(pairs[i + 1]));
		put_box(&one, "data", &in);
		put_box(&items, pairs[i], &one);
	}
	put_number(&in, true, 0, 4);
	put_box(&in, "ilst", &items);
	put_box(&user, "meta", &in);
	ims_buf_put(&in, "\0\0\0\0\x15\xC7name\0\0\0\x0B\xC0\0\0\x30\x80\0\0\0\0\0", 24);
	put_box(&user, "loci", &in);
	put_header(&movie, (uint32_t)MAY_2024);
	put_box(&movie, "udta", &user);
	read_movie(&f, &movie, 0);
	is(&f, FACT_TITLE, "A title");
	is(&f, FACT_DATE, "2024-05-03");
	is(&f, FACT_DESCRIPTION, "What it shows");
	is(&f, FACT_LATITUDE, "48.5");
	is(&f, FACT_LONGITUDE, "11.75");
	for (uint32_t cut = 4; cut < 24; cut++) { /* a place that is too short */
		ims_buf_put(&in, "\0\0\0\0\x15\xC7name\0\0\0\x0B\xC0\0\0\x30\x80\0", 24 - cut);
		put_box(&user, "loci", &in);
		put_box(&movie, "udta", &user);
		read_movie(&f, &movie, 0);
		is(&f, FACT_LATITUDE, cut > 4 ? "-" : "48.5");
	}
	ims_buf_put(&in, "\0\0\0\0\x15\xC7My film\0", 14); /* as 3GPP has it */
	put_box(&user, "titl", &in);
	ims_buf_put(&in, "\0\0\0\0\x15", 5);
	put_box(&user, "dscp", &in);
	put_box(&movie, "udta", &user);
	read_movie(&f, &movie, 0);
	is(&f, FACT_TITLE, "My film");
	is(&f, FACT_DESCRIPTION, "-");
	ims_facts_clear(&f);
	ims_buf_free(&movie);
	ims_buf_free(&user);
	ims_buf_free(&items);
	ims_buf_free(&one);
	ims_buf_free(&in);
}

/* An element of Matroska around the bytes of another buffer, which becomes empty. */
static void put_element(buf *out, uint32_t id, buf *in)
{
	put_number(out, true, id, id > 0xFFFFFF ? 4 : id > 0xFF ? 2 : 1);
	put_number(out, true, 0x10000000 | (uint32_t)in->len, 4);
	ims_buf_put(out, in->data, in->len);
	in->len = 0;
}

static void put_text_element(buf *out, uint32_t id, const char *text)
{
	buf in = { 0 };
	ims_buf_put(&in, text, strlen(text));
	put_element(out, id, &in);
	ims_buf_free(&in);
}

/* A tag of the file, or, with a target, of a track of it. */
static void put_tag(buf *out, bool track, const char *name, const char *text)
{
	buf in = { 0 }, tag = { 0 };
	if (track) {
		put_text_element(&in, 0x63C5, "\1");
		put_element(&tag, 0x63C0, &in);
	}
	put_text_element(&in, 0x45A3, name);
	put_text_element(&in, 0x4487, text);
	put_element(&tag, 0x67C8, &in);
	put_element(out, 0x7373, &tag);
	ims_buf_free(&in);
	ims_buf_free(&tag);
}

enum { EBML = 0x1A45DFA3, SEGMENT = 0x18538067, CLUSTER = 0x1F43B675, TAGS = 0x1254C367 };

/* The information of a segment: its title (NULL: none), and when it was made. */
static void put_information(buf *out, const char *title, uint64_t nanoseconds)
{
	buf in = { 0 }, clock = { 0 };
	if (title)
		put_text_element(&in, 0x7BA9, title);
	put_number(&clock, true, (uint32_t)(nanoseconds >> 32), 4);
	put_number(&clock, true, (uint32_t)nanoseconds, 4);
	put_element(&in, 0x4461, &clock);
	put_element(out, 0x1549A966, &in);
	ims_buf_free(&in);
	ims_buf_free(&clock);
}

/* A file with this segment, whose buffer stays; unknown: its size is not known. */
static void read_segment(facts *f, buf *segment, bool unknown, size_t cut)
{
	buf file = { 0 }, in = { 0 };
	ims_facts_clear(f);
	put_text_element(&in, 0x4282, "matroska");
	put_element(&file, EBML, &in);
	put_number(&file, true, SEGMENT, 4);
	put_number(&file, true, unknown ? 0x01FFFFFF : 0x01000000, 4);
	put_number(&file, true, unknown ? 0xFFFFFFFF : (uint32_t)segment->len, 4);
	ims_buf_put(&file, segment->data, segment->len);
	ims_facts_from_file(f, file.data, file.len - cut);
	ims_buf_free(&file);
	ims_buf_free(&in);
}

#define MAY_2024_FROM_2001 (736431909000000000u) /* 2024-05-03T12:25:09Z in nanoseconds */

static void matroska(void **state)
{
	facts f = { 0 };
	buf segment = { 0 }, in = { 0 };
	(void)state;
	put_information(&segment, "A title", MAY_2024_FROM_2001);
	put_number(&segment, true, CLUSTER, 4);
	put_number(&segment, true, 0xFF, 1); /* of unknown size, as recorders write it */
	put_text_element(&segment, 0xA3, "a frame");
	put_tag(&in, true, "MODEL", "of a track");
	put_tag(&in, false, "MAKE", "Canon");
	put_tag(&in, false, "COM.APPLE.QUICKTIME.MODEL", "EOS R");
	put_tag(&in, false, "DESCRIPTION", "What it shows");
	put_tag(&in, false, "LOCATION", "+48.1370-011.5750/");
	put_element(&segment, TAGS, &in);
	for (int unknown = 0; unknown < 2; unknown++) {
		read_segment(&f, &segment, unknown, 0);
		is(&f, FACT_TITLE, "A title");
		is(&f, FACT_CAMERA, "Canon EOS R");
		is(&f, FACT_DESCRIPTION, "What it shows");
		is(&f, FACT_LONGITUDE, "-11.575");
		is(&f, FACT_DATE, "2024-05-03T12:25:09");
		is(&f, FACT_ZONE, "+00:00");
		is(&f, FACT_DATE_FROM, "Matroska DateUTC (UTC)");
		read_segment(&f, &segment, unknown, 1); /* the tags are cut off */
		is(&f, FACT_TITLE, "A title");
		is(&f, FACT_CAMERA, "-");
	}
	put_tag(&in, false, "DATE", "2023");
	put_tag(&in, false, "DATE_RECORDED", "2024-05-03T14:25:09+02:00");
	put_element(&segment, TAGS, &in);
	read_segment(&f, &segment, false, 0);
	is(&f, FACT_DATE, "2024-05-03T14:25:09");
	is(&f, FACT_ZONE, "+02:00");
	is(&f, FACT_DATE_FROM, "Matroska tag");
	ims_facts_clear(&f);
	ims_buf_free(&segment);
	ims_buf_free(&in);
}

/* Clocks that were never set, and sizes that go beyond what holds them. */
static void hostile_matroska(void **state)
{
	static const uint64_t clocks[] = { 1u << 31, UINT64_MAX / 2 + 1 };
	static const char *const ends[] = { "", "\0", "\1", "\x80", "\x15\x49\xA9\x66\xFF",
		"\x15\x49\xA9\x66\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFE", "\x12\x54\xC3\x67\x84\x73\x73\xFF" };
	facts f = { 0 };
	buf segment = { 0 };
	(void)state;
	put_information(&segment, NULL, clocks[0]);
	read_segment(&f, &segment, false, 0);
	is(&f, FACT_DATE, "2001-01-01T00:00:02");
	segment.len = 0;
	put_information(&segment, "\xFF", clocks[1]);
	read_segment(&f, &segment, false, 0);
	is(&f, FACT_DATE, "-");
	is(&f, FACT_TITLE, "-");
	for (size_t i = 0; i < COUNT(ends); i++) {
		segment.len = 0;
		ims_buf_put(&segment, ends[i], i == 1 ? 1 : strlen(ends[i]));
		for (int unknown = 0; unknown < 2; unknown++)
			read_segment(&f, &segment, unknown, 0);
		for (int k = 0; k < FACTS; k++)
			is(&f, k, "-");
	}
	ims_facts_clear(&f);
	ims_buf_free(&segment);
}

/* A chunk of RIFF around a text; a list where kind is given, whose buffer becomes empty. */
static void put_chunk(buf *out, const char *name, const char *text)
{
	ims_buf_put(out, name, 4);
	ims_buf_u32(out, (uint32_t)strlen(text));
	ims_buf_put(out, text, strlen(text) + strlen(text) % 2); /* padded by its NUL */
}

static void put_list(buf *out, const char *name, const char *kind, buf *in)
{
	ims_buf_put(out, name, 4);
	ims_buf_u32(out, (uint32_t)in->len + 4);
	ims_buf_put(out, kind, 4);
	ims_buf_put(out, in->data, in->len);
	in->len = 0;
}

static void avi(void **state)
{
	static const struct {
		const char *text, *date;
	} dates[] = {
		{ "Fri May  3 14:05:09 2024\n", "2024-05-03T14:05:09" },
		{ "FRI MAY  3 14:05:09 2024", "-" },
		{ "Fri eMa  3 14:05:09 2024", "-" },
		{ "Fri May 33 14:05:09 2024", "-" },
		{ "2024:05:03 14:05:09", "2024-05-03T14:05:09" },
		{ "2024/05/03 14:05", "2024-05-03T14:05" },
		{ "2024/05/03 14:05 and more text than a date may have", "-" },
		{ "", "-" },
	};
	facts f = { 0 };
	(void)state;
	for (size_t i = 0; i < COUNT(dates); i++) {
		buf file = { 0 }, in = { 0 }, all = { 0 };
		put_chunk(&in, "IDIT", dates[i].text);
		put_list(&all, "LIST", "hdrl", &in);
		put_chunk(&in, "INAM", "not this, in the frames");
		put_list(&all, "LIST", "movi", &in);
		put_chunk(&in, "INAM", "K\xF6ln"); /* Windows-1252 */
		put_chunk(&in, "ISBJ", "Gr\xC3\xBCn");
		put_list(&all, "LIST", "INFO", &in);
		put_chunk(&in, "ecor", "Canon");
		put_chunk(&in, "emdl", "EOS");
		put_list(&all, "LIST", "exif", &in);
		put_list(&file, "RIFF", "AVI ", &all);
		ims_facts_from_file(&f, file.data, file.len);
		is(&f, FACT_TITLE, "K\xC3\xB6ln");
		is(&f, FACT_DESCRIPTION,
			"Gr\xC3\xBC"
			"n");
		is(&f, FACT_CAMERA, "Canon EOS");
		is(&f, FACT_DATE, dates[i].date);
		is(&f, FACT_DATE_FROM, strcmp(dates[i].date, "-") ? "AVI IDIT" : "-");
		put_chunk(&in, "ICRD", "2023-01-01");
		put_list(&file, "LIST", "INFO", &in);
		put_chunk(&file, "_PMX", XMP("tiff:Model='of XMP'", ""));
		ims_facts_clear(&f);
		ims_facts_from_file(&f, file.data, file.len);
		is(&f, FACT_CAMERA, "of XMP");
		is(&f, FACT_DATE, strcmp(dates[i].date, "-") ? dates[i].date : "2023-01-01");
		for (size_t cut = 1; cut < file.len; cut += 3) { /* no more than memory checks */
			ims_facts_clear(&f);
			ims_facts_from_file(&f, file.data, file.len - cut);
		}
		ims_facts_clear(&f);
		ims_buf_free(&file);
		ims_buf_free(&all);
		ims_buf_free(&in);
	}
}

/* XMP, then Exif, then IPTC, value by value; in a JPEG whose segments come in another order. */
static void precedence(void **state)
{
	const tag_entry tags[] = {
		TEXT_TAG(0, 0x010E, "of Exif"),
		TEXT_TAG(0, 0x0110, "of Exif"),
		TEXT_TAG(1, 0x9003, "2024:05:02 00:00:00"),
	};
	buf exif = { 0 }, records = { 0 }, jpeg = { 0 };
	facts f = { 0 };
	(void)state;
	put_exif(&exif, true, tags, COUNT(tags));
	put_iptc(&records, 5, "of IPTC");
	put_iptc(&records, 120, "of IPTC");
	put_iptc(&records, 55, "20240503");
	ims_buf_put(&jpeg, "\xFF\xD8", 2);
	put_app13(&jpeg, records.data, records.len);
	put_app1_exif(&jpeg, exif.data, exif.len);
	put_app1_xmp(&jpeg, XMP("tiff:Model='of XMP' xmp:CreateDate='2024-05-01'", ""));
	size_t header = jpeg.len;
	ims_buf_put(&jpeg, "\xFF\xDA", 2);
	ims_buf_put(&jpeg, "\0\2", 2);
	assert_true(ims_facts_from_file(&f, jpeg.data, jpeg.len));
	is(&f, FACT_CAMERA, "of XMP");
	is(&f, FACT_DATE, "2024-05-01");
	is(&f, FACT_DESCRIPTION, "of Exif");
	is(&f, FACT_TITLE, "of IPTC");
	ims_facts_clear(&f);
	assert_false(ims_facts_from_file(&f, jpeg.data, header)); /* more may come */
	ims_facts_clear(&f);
	assert_false(ims_facts_from_file(&f, jpeg.data, header - 1));
	is(&f, FACT_CAMERA, "of Exif");
	ims_facts_clear(&f);
	ims_buf_free(&exif);
	ims_buf_free(&records);
	ims_buf_free(&jpeg);
}

static void other_containers(void **state)
{
	const tag_entry tags[] = {
		TEXT_TAG(0, 0x0110, "X100"),
		{ 0, 700, 1, sizeof(XMP("xmp:Rating='2'", "")) - 1, XMP("xmp:Rating='2'", "") },
	};
	buf tiff = { 0 }, webp = { 0 };
	facts f = { 0 };
	(void)state;
	put_exif(&tiff, false, tags, 2);
	assert_true(ims_facts_from_file(&f, tiff.data, tiff.len));
	is(&f, FACT_CAMERA, "X100");
	is(&f, FACT_RATING, "2");
	ims_facts_clear(&f);
	ims_buf_put(&webp, "RIFF\0\0\0\0WEBPVP8X\3\0\0\0abc\0EXIF", 28);
	ims_buf_u32(&webp, (uint32_t)tiff.len);
	ims_buf_put(&webp, tiff.data, tiff.len);
	assert_true(ims_facts_from_file(&f, webp.data, webp.len));
	is(&f, FACT_CAMERA, "X100");
	is(&f, FACT_RATING, "-");
	ims_facts_clear(&f);
	ims_facts_from_file(&f, webp.data, webp.len - 1);
	is(&f, FACT_CAMERA, "-");
	ims_facts_from_file(&f, "GIF89a", 6);
	is(&f, FACT_CAMERA, "-");
	ims_buf_free(&tiff);
	ims_buf_free(&webp);
}

#define GIF_XMP "\x21\xFF\x0BXMP DataXMP"

/* XMP in GIF: behind comments and pictures; text that is no blocks, with a ramp behind it. */
static void gif(void **state)
{
	static const char head[] = "GIF89a\1\0\1\0\x80\0\0abcdef";
	static const char comment[] = "\x21\xFE\3\x21\xFF\x0B\0";
	static const char picture[] = "\x2C\0\0\0\0\1\0\1\0\x80"
								  "abcdef\2\2\x44\1\0";
	buf file = { 0 };
	facts f = { 0 };
	(void)state;
	ims_buf_put(&file, head, sizeof head - 1);
	ims_buf_put(&file, comment, sizeof comment - 1);
	ims_buf_put(&file, picture, sizeof picture - 1);
	ims_buf_put(&file, GIF_XMP, sizeof GIF_XMP - 1);
	ims_buf_put(&file, XMP("xmp:Rating='2'", ""), sizeof(XMP("xmp:Rating='2'", "")) - 1);
	ims_buf_u8(&file, 1);
	for (int n = 255; n >= 0; n--)
		ims_buf_u8(&file, (uint8_t)n);
	ims_buf_put(&file, "\0;", 2);
	ims_facts_from_file(&f, file.data, file.len);
	is(&f, FACT_RATING, "2");
	ims_facts_clear(&f);
	for (size_t n = file.len; n > 6; n--) {
		ims_facts_from_file(&f, file.data, n);
		if (n < file.len - 258)
			is(&f, FACT_RATING, "-"); /* its end is missing */
		ims_facts_clear(&f);
	}
	ims_buf_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_and_zones),
		cmocka_unit_test(exif_dates),
		cmocka_unit_test(zones_of_other_places),
		cmocka_unit_test(cameras),
		cmocka_unit_test(positions),
		cmocka_unit_test(texts_of_exif),
		cmocka_unit_test(hostile_exif),
		cmocka_unit_test(xmp_forms),
		cmocka_unit_test(keywords_with_semicolons),
		cmocka_unit_test(hostile_xmp),
		cmocka_unit_test(long_texts),
		cmocka_unit_test(iptc),
		cmocka_unit_test(encodings_of_iptc),
		cmocka_unit_test(videos),
		cmocka_unit_test(videos_with_typed_items),
		cmocka_unit_test(matroska),
		cmocka_unit_test(hostile_matroska),
		cmocka_unit_test(avi),
		cmocka_unit_test(precedence),
		cmocka_unit_test(other_containers),
		cmocka_unit_test(gif),
	};
	return cmocka_run_group_tests_name("meta", tests, NULL, NULL);
}
