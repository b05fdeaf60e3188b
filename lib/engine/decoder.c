/* The helper process that decodes. */
#include "codec/serve.h"
#include "imgsearch.h"

int imgsearch_decoder_serve(int argc, char **argv)
{
	return argv ? ims_codec_serve(argc, argv) : -1;
}
