/* The digest that tells whether somebody edited a plan file. */
#ifndef MIRRORCTL_SRC_RECORD_PLAN_FILE_H
#define MIRRORCTL_SRC_RECORD_PLAN_FILE_H

#include "json.h"

#define PLAN_DIGEST_KEY "digest"

enum { PLAN_DIGEST_SIZE = 17 };

/*
 * Over the compact text of the document without its digest, so that indentation does not matter.
 * FNV-1a, 64 bits: it finds slips of an editor. Against an enemy stands apply itself, which plans
 * anew and compares.
 */
enum err_code plan_digest(json_t *document, char out[static PLAN_DIGEST_SIZE], struct err *e);

#endif
