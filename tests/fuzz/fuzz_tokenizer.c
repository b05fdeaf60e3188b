/* Files of tokenizers. What is accepted cuts every text into tokens that are in range. */
#include "words/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(const tokenizer *t)
{
	static const char *const texts[] = { "", "a dog's photo, 1999", "AB ab \u00e9\u2581&amp;<b>",
		"\u65e5\u672c\u8a9e \U0001f600 <|endoftext|> <eos>" };
	enum { CONTEXT = 16 };
	int32_t out[CONTEXT];
	size_t n;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (ims_tokenizer_encode(t, texts[i], out, CONTEXT, &n, NULL) || !n || n > CONTEXT)
			abort();
		for (size_t j = 0; j < CONTEXT; j++)
			if (out[j] < 0)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[40];
	tokenizer *t;
	int fd = memfd_create("tokenizer", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	for (int style = TOKENIZER_OPEN_CLIP; style <= TOKENIZER_TRANSFORMERS; style++)
		if (!ims_tokenizer_open(&t, path, (tokenizer_style)style, NULL)) {
			encode(t);
			ims_tokenizer_free(t);
		}
	close(fd);
	return 0;
}
