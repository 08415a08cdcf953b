"""Every capability's rules: importing this module registers all handlers, jobs and reminders."""

import imd.chat.accounts
import imd.chat.admin
import imd.chat.announcements
import imd.chat.audit
import imd.chat.base.burning
import imd.chat.conversations
import imd.chat.deletion
import imd.chat.export.commands
import imd.chat.friends
import imd.chat.groups
import imd.chat.invitations
import imd.chat.members
import imd.chat.messages
import imd.chat.personal
import imd.chat.pins
import imd.chat.policies
import imd.chat.presence
import imd.chat.profiles
import imd.chat.reactions
import imd.chat.receipts
import imd.chat.reports
import imd.chat.search
import imd.chat.second_factor
import imd.chat.session
import imd.chat.status  # noqa: F401  # the import is what registers
