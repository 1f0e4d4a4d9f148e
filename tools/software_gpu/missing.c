/* Debian 12's Vulkan loader does not export these functions of extensions, which
   libggml-vulkan.so wants to find. They fail, as where the extension is missing. */

enum { VK_ERROR_EXTENSION_NOT_PRESENT = -7 };

int vkGetMemoryHostPointerPropertiesEXT(void) { return VK_ERROR_EXTENSION_NOT_PRESENT; }

int vkGetPipelineExecutableStatisticsKHR(void) { return VK_ERROR_EXTENSION_NOT_PRESENT; }
