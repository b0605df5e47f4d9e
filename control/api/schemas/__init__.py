# SPDX-License-Identifier: Apache-2.0
"""What comes in and what goes out, as models: they check requests, and OpenAPI is made from them."""
