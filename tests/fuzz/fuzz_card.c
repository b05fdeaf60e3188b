/* Model cards. One that is accepted is accepted again after writing. */
#include "model/card.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	model_card card, again;
	buf text = { 0 };
	if (ims_card_parse(&card, data, size, NULL))
		return 0;
	if (ims_card_text(&text, &card) == 0
		&& (ims_card_parse(&again, text.data, text.len, NULL) || strcmp(card.name, again.name)
			|| card.dim != again.dim))
		abort();
	ims_buf_free(&text);
	return 0;
}
