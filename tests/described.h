/* Drawn pictures with blocks in them, sidecars, and the columns that an index has of them. */
#ifndef IMS_TEST_DESCRIBED_H
#define IMS_TEST_DESCRIBED_H

#include "blocks.h"
#include "scene.h"

static inline void write_file(const scene *sc, const char *name, const void *data, size_t size)
{
	char path[400];
	snprintf(path, sizeof path, "%s/%s", sc->photos, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

/* photos/NAME drawn as NUMBER, with a chunk behind its IHDR. */
static inline void photo_with_chunk(const scene *sc, const char *name, unsigned number,
	const char *type, const buf *data)
{
	enum { TO_IHDR = 33 };
	char path[400];
	buf plain = { 0 }, file = { 0 };
	photo(sc, name, number);
	snprintf(path, sizeof path, "%s/%s", sc->photos, name);
	assert_int_equal(ims_read_file(&plain, path, 1 << 20, NULL), 0);
	ims_buf_put(&file, plain.data, TO_IHDR);
	put_number(&file, true, (uint32_t)data->len, 4);
	ims_buf_put(&file, type, 4);
	ims_buf_put(&file, data->data, data->len);
	put_number(&file, true, 0, 4); /* a checksum that nobody looks at */
	ims_buf_put(&file, plain.data + TO_IHDR, plain.len - TO_IHDR);
	write_file(sc, name, file.data, file.len);
	ims_buf_free(&plain);
	ims_buf_free(&file);
}

/* With a block of XMP. */
static inline void photo_xmp(const scene *sc, const char *name, unsigned number, const char *xmp)
{
	static const char keyword[] = "XML:com.adobe.xmp\0\0\0\0";
	buf data = { 0 };
	ims_buf_put(&data, keyword, sizeof keyword);
	ims_buf_put(&data, xmp, strlen(xmp));
	photo_with_chunk(sc, name, number, "iTXt", &data);
	ims_buf_free(&data);
}

static inline void sidecar(const scene *sc, const char *name, const char *xmp)
{
	write_file(sc, name, xmp, strlen(xmp));
}

/* The columns of photos/NAME, or of an item by its id: "rating=3 camera=X100", and its title. */
static inline void columns_of_id(imgsearch *s, int64_t id, char *out, size_t size)
{
	imgsearch_item *item;
	size_t at = 0;
	works(imgsearch_item_get(s, id, &item, &err));
	*out = 0;
	for (size_t i = 0; i < item->columns->count && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s=%s", i ? " " : "",
			item->columns->items[i]->name, item->columns->items[i]->value);
	if (item->title && at < size)
		snprintf(out + at, size - at, "%s(%s)", at ? " " : "", item->title);
	imgsearch_item_free(item);
}

static inline void has_columns(imgsearch *s, const scene *sc, const char *name,
	const char *expected)
{
	char text[2000];
	int64_t id = id_of(s, sc, name);
	assert_true(id > 0);
	columns_of_id(s, id, text, sizeof text);
	assert_string_equal(text, expected);
}

#endif
