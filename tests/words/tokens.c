/* tokens FILE STYLE CONTEXT: the tokens of texts on standard input (ended by NUL), a line each. */
#include "words/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	imgsearch_error err;
	tokenizer *t;
	static char text[1 << 20];
	size_t n = 0, context = argc > 3 ? (size_t)atoi(argv[3]) : 0;
	int c;
	if (argc != 4
		|| ims_tokenizer_open(&t, argv[1],
			!strcmp(argv[2], "transformers") ? TOKENIZER_TRANSFORMERS : TOKENIZER_OPEN_CLIP,
			&err)) {
		fprintf(stderr, "tokens: %s\n", argc == 4 ? err.message : "FILE STYLE CONTEXT");
		return 1;
	}
	int32_t *out = malloc(context * sizeof *out);
	while ((c = getchar()) != EOF) {
		text[n++] = (char)c;
		if (c)
			continue;
		if (ims_tokenizer_encode(t, text, out, context, &n, &err)) {
			printf("error: %s", err.message);
			n = 0;
		}
		for (size_t i = 0; i < n; i++)
			printf("%s%d", i ? " " : "", out[i]);
		printf("\n");
		n = 0;
	}
	free(out);
	ims_tokenizer_free(t);
	return 0;
}
