/* Nearest words by the Damerau-Levenshtein distance (optimal string alignment). */
#include "cli/option/nearest.h"

#include <string.h>

/*
 * Edits (insert, delete, replace, swap of neighbours) from a to b; leaving off b's end counts as
 * one.
 */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned d[NEAREST_WORD_MAX + 1][NEAREST_WORD_MAX + 1];
	size_t n = strlen(a), m = strlen(b);
	if (n > NEAREST_WORD_MAX || m > NEAREST_WORD_MAX)
		return NEAREST_WORD_MAX;
	for (unsigned i = 0; i <= n; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]
				&& d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	unsigned best = d[n][m];
	for (size_t j = n < 3 ? m : 1; j < m; j++)
		if (d[n][j] + 1 < best)
			best = d[n][j] + 1;
	return best;
}

const char *nearest_word(const char *word, const char *const *names, size_t n)
{
	const char *nearest = NULL;
	size_t length = strlen(word);
	unsigned best = length < 4 ? 2 : length < 8 ? 3 : 4; /* fewer edits than this */
	for (size_t i = 0; n ? i < n : names[i] != NULL; i++) {
		unsigned d = edit_distance(word, names[i]);
		if (d < best) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}
