/* The helper's side: a process that decodes files of one format for another one. */
#ifndef IMS_CODEC_SERVE_H
#define IMS_CODEC_SERVE_H

#include "codec/codec.h"

/*
 * Where argv is PROGRAM WIRE_WORD FORMAT MEMORY: serves until its standard input, the socket, ends,
 * and returns the exit status. Otherwise -1, at once.
 */
int ims_codec_serve(int argc, char **argv);

/* Answers requests that come over the socket until it ends, by a codec that is loaded. */
void ims_codec_serve_requests(const codec *c, int socket, colour_cache *colours);

#endif
