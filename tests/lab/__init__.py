# Copyright (c) 2026 openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two real Kubernetes clusters, object storage and fault injection on one machine."""
