// libhdf5 hides its constants behind macros that open the library first; Swift's importer drops them.
#pragma once
#include <hdf5.h>

static inline hid_t ptk_native_int8(void) { return H5T_NATIVE_INT8; }
static inline hid_t ptk_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t ptk_native_int16(void) { return H5T_NATIVE_INT16; }
static inline hid_t ptk_native_uint16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t ptk_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t ptk_native_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t ptk_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t ptk_native_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t ptk_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t ptk_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t ptk_std_int8(void) { return H5T_STD_I8LE; }
static inline hid_t ptk_std_uint8(void) { return H5T_STD_U8LE; }
static inline hid_t ptk_std_int16(void) { return H5T_STD_I16LE; }
static inline hid_t ptk_std_uint16(void) { return H5T_STD_U16LE; }
static inline hid_t ptk_std_int32(void) { return H5T_STD_I32LE; }
static inline hid_t ptk_std_uint32(void) { return H5T_STD_U32LE; }
static inline hid_t ptk_std_int64(void) { return H5T_STD_I64LE; }
static inline hid_t ptk_std_uint64(void) { return H5T_STD_U64LE; }
static inline hid_t ptk_std_float(void) { return H5T_IEEE_F32LE; }
static inline hid_t ptk_std_double(void) { return H5T_IEEE_F64LE; }
static inline hid_t ptk_c_string(void) { return H5T_C_S1; }

static inline hid_t ptk_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t ptk_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t ptk_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t ptk_dataset_access(void) { return H5P_DATASET_ACCESS; }
static inline hid_t ptk_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t ptk_default(void) { return H5P_DEFAULT; }

static inline unsigned ptk_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned ptk_read_write(void) { return H5F_ACC_RDWR; }
static inline unsigned ptk_truncate(void) { return H5F_ACC_TRUNC; }
static inline unsigned ptk_exclusive(void) { return H5F_ACC_EXCL; }
static inline hsize_t ptk_unlimited(void) { return H5S_UNLIMITED; }
static inline hid_t ptk_all(void) { return H5S_ALL; }

// H5E_WALK_UPWARD visits the innermost error first; this collects one line a level, outermost first.
typedef struct {
  char *text;
  size_t used, capacity;
} ptk_text;

static inline herr_t ptk_collect_error(unsigned level, const H5E_error2_t *e, void *context) {
  ptk_text *t = (ptk_text *)context;
  (void)level;
  const char *words = e->desc ? e->desc : "";
  const char *function = e->func_name ? e->func_name : "?";
  int n = snprintf(t->text + t->used, t->capacity - t->used, "%s: %s\n", function, words);
  if (n > 0 && (size_t)n < t->capacity - t->used) t->used += (size_t)n;
  return 0;
}

static inline size_t ptk_error_stack(char *text, size_t capacity) {
  ptk_text t = {text, 0, capacity};
  if (capacity) text[0] = 0;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, ptk_collect_error, &t);
  H5Eclear2(H5E_DEFAULT);
  return t.used;
}

// Closing an identifier clears the error stack, which the failing call's error is still to be made of.
static inline hid_t ptk_hold_errors(void) {
  return H5Eget_num(H5E_DEFAULT) > 0 ? H5Eget_current_stack() : -1;
}

static inline void ptk_restore_errors(hid_t held) {
  if (held >= 0) H5Eset_current_stack(held);
}

static inline void ptk_silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

// H5Lget_info is a versioned macro from 1.12 on.
static inline int ptk_link_is_hard(hid_t location, const char *name) {
  H5L_info_t info;
  if (H5Lget_info(location, name, &info, H5P_DEFAULT) < 0) return -1;
  return info.type == H5L_TYPE_HARD;
}
