# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to a migration when it is disturbed anywhere: every fault of the table, for real, and what came of it.

``python -m crash`` runs the rows that ``docs/crash-table.jsonl`` lacks and writes ``docs/crash-table.md``.
"""
