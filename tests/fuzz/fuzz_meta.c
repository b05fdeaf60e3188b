/*
 * Exif, XMP and IPTC, in a container or as a block alone. The last byte chooses the block. What
 * comes out is UTF-8 without control characters.
 */
#include "base/date.h"
#include "base/utf8.h"
#include "meta/meta.h"

#include <string.h>

static void check(facts *f)
{
	char date[DATE_SIZE], zone[ZONE_SIZE];
	for (int i = 0; i < FACTS; i++) {
		const char *text = f->value[i];
		if (text && (!*text || !ims_utf8_is_valid(text)))
			__builtin_trap();
		for (; text && *text; text++)
			if ((unsigned char)*text < 0x20 || *text == 0x7f)
				__builtin_trap();
	}
	const char *when = f->value[FACT_DATE];
	if (when && (!ims_date_parse(when, date, zone) || strcmp(date, when)))
		__builtin_trap();
	if (!f->value[FACT_LATITUDE] != !f->value[FACT_LONGITUDE])
		__builtin_trap();
	ims_facts_clear(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	facts f = { 0 };
	ims_facts_from_file(&f, data, size);
	check(&f);
	if (!size)
		return 0;
	metadata m = { 0 };
	ims_metadata_app1(&m, data, size);
	ims_metadata_app13(&m, data, size);
	ims_facts_from_blocks(&f, &m);
	check(&f);
	switch (data[size - 1] % 3) {
	case 0:
		ims_facts_add_exif(&f, data, size);
		break;
	case 1:
		ims_facts_add_xmp(&f, data, size, true);
		break;
	default:
		ims_facts_add_iptc(&f, data, size);
	}
	check(&f);
	return 0;
}
