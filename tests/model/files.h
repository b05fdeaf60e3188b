/* Weights files as tests need them: made in memory, good ones to be broken afterwards. */
#ifndef TESTS_MODEL_FILES_H
#define TESTS_MODEL_FILES_H

#include "base/base.h"

#include <string.h>

/*
 * The opcodes of a storage and of a tensor over it: name, type, key, elements, offset, shape (rows,
 * columns), strides.
 */
static inline void put_tensor(buf *b, const char *name, const char *type, const char *key,
	uint32_t numel, uint32_t offset, uint32_t rows, uint32_t columns, uint32_t stride0,
	uint32_t stride1)
{
	ims_buf_text(b, "X");
	ims_buf_u32(b, (uint32_t)strlen(name));
	ims_buf_text(b, "%sctorch._utils\n_rebuild_tensor_v2\n((", name);
	ims_buf_text(b, "X");
	ims_buf_u32(b, 7);
	ims_buf_text(b, "storagectorch\n%s\nX", type);
	ims_buf_u32(b, (uint32_t)strlen(key));
	ims_buf_text(b, "%sX", key);
	ims_buf_u32(b, 3);
	ims_buf_text(b, "cpuJ");
	ims_buf_u32(b, numel);
	ims_buf_text(b, "tQJ");
	ims_buf_u32(b, offset);
	ims_buf_text(b, "J");
	ims_buf_u32(b, rows);
	ims_buf_text(b, "J");
	ims_buf_u32(b, columns);
	ims_buf_text(b, "\x86J");
	ims_buf_u32(b, stride0);
	ims_buf_text(b, "J");
	ims_buf_u32(b, stride1);
	ims_buf_text(b, "\x86\x89}tR");
}

/* The state dict {a.weight: 2 x 3 f32, b.weight: its transpose's view, n: 1 x 1 i64}. */
static inline void put_state(buf *b)
{
	ims_buf_u8(b, 0x80);
	ims_buf_u8(b, 2);
	ims_buf_text(b, "ccollections\nOrderedDict\n)Rq");
	ims_buf_u8(b, 0);
	ims_buf_text(b, "(");
	put_tensor(b, "a.weight", "FloatStorage", "0", 6, 0, 2, 3, 3, 1);
	put_tensor(b, "b.weight", "FloatStorage", "0", 6, 0, 3, 2, 1, 3);
	put_tensor(b, "n", "LongStorage", "1", 1, 0, 1, 1, 1, 1);
	ims_buf_text(b, "u}b.");
}

static inline void put_numbers(buf *b)
{
	for (int i = 0; i < 6; i++)
		ims_buf_f32(b, (float)i);
}

static inline void put_magic(buf *b)
{
	static const uint8_t magic[] = {
		0x80,
		2,
		0x8a,
		10,
		0x6c,
		0xfc,
		0x9c,
		0x46,
		0xf9,
		0x20,
		0x6a,
		0xa8,
		0x50,
		0x19,
		'.',
	};
	ims_buf_put(b, magic, sizeof magic);
}

static inline void put_legacy(buf *b)
{
	put_magic(b);
	ims_buf_put(b, "\x80\2M\xe9\3.\x80\2}.", 10);
	put_state(b);
	ims_buf_put(b,
		"\x80\2](X\1\0\0\0"
		"0X\1\0\0\0"
		"1e.",
		18);
	ims_buf_u64(b, 6);
	put_numbers(b);
	ims_buf_u64(b, 1);
	ims_buf_u64(b, 42);
}

typedef struct made_entry {
	const char *name;
	buf data;
} made_entry;

static inline void put_u16(buf *b, uint32_t v)
{
	ims_buf_u8(b, (uint8_t)v);
	ims_buf_u8(b, (uint8_t)(v >> 8));
}

static inline void put_archive(buf *b, const made_entry *entry, size_t n)
{
	size_t at[8], directory;
	for (size_t i = 0; i < n; i++) {
		at[i] = b->len;
		ims_buf_put(b, "PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18);
		ims_buf_u32(b, (uint32_t)entry[i].data.len);
		ims_buf_u32(b, (uint32_t)entry[i].data.len);
		put_u16(b, (uint32_t)strlen(entry[i].name));
		put_u16(b, 0);
		ims_buf_put(b, entry[i].name, strlen(entry[i].name));
		ims_buf_put(b, entry[i].data.data, entry[i].data.len);
	}
	directory = b->len;
	for (size_t i = 0; i < n; i++) {
		ims_buf_put(b, "PK\1\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
		ims_buf_u32(b, (uint32_t)entry[i].data.len);
		ims_buf_u32(b, (uint32_t)entry[i].data.len);
		put_u16(b, (uint32_t)strlen(entry[i].name));
		ims_buf_put(b, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
		ims_buf_u32(b, (uint32_t)at[i]);
		ims_buf_put(b, entry[i].name, strlen(entry[i].name));
	}
	size_t size = b->len - directory;
	ims_buf_put(b, "PK\5\6\0\0\0\0", 8);
	put_u16(b, (uint32_t)n);
	put_u16(b, (uint32_t)n);
	ims_buf_u32(b, (uint32_t)size);
	ims_buf_u32(b, (uint32_t)directory);
	put_u16(b, 0);
}

static inline void put_zip(buf *b)
{
	made_entry entry[4] = {
		{ "w/data.pkl", { 0 } },
		{ "w/data/0", { 0 } },
		{ "w/data/1", { 0 } },
		{ "w/byteorder", { 0 } },
	};
	put_state(&entry[0].data);
	put_numbers(&entry[1].data);
	ims_buf_u64(&entry[2].data, 42);
	ims_buf_text(&entry[3].data, "little");
	put_archive(b, entry, 4);
	for (int i = 0; i < 4; i++)
		ims_buf_free(&entry[i].data);
}

static inline void put_safetensors(buf *b, const char *header)
{
	ims_buf_u64(b, strlen(header));
	ims_buf_put(b, header, strlen(header));
	put_numbers(b);
	ims_buf_u64(b, 42);
}

#define GOOD_HEADER \
	"{\"__metadata__\":{\"format\":\"pt\"},\"a.weight\":{\"dtype\":\"F32\",\"shape\":[2,3]," \
	"\"data_offsets\":[0,24]}," \
	"\"n\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[24,32]}}"

#endif
