/* What every test program includes: cmocka with what it needs, and the ground floor. */
#ifndef IMS_TEST_H
#define IMS_TEST_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
