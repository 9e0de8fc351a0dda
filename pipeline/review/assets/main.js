// Starts the page, and names which part follows which change.

import { startCardActions, stopOtherFilms } from "./card_actions.js";
import { refreshCards } from "./cards.js";
import { startConsentActions } from "./consent_actions.js";
import { consentsChanged, unsavedConsents } from "./consents.js";
import { refreshCompare, startCompare } from "./compare.js";
import { refreshDock, startDock } from "./dock.js";
import { startKeys } from "./keys.js";
import { currentChanged, listChanged, startList } from "./list.js";
import { refreshMasks, startMasks } from "./mask_panel.js";
import { refreshMailChoices } from "./mail_filter.js";
import { mailsChanged } from "./mails.js";
import { followDecisions, isMontageChanged, startMontage } from "./montage.js";
import { countFigures, listMailsToAnswer, nameBareClips, startMorning } from "./morning.js";
import { refreshComments, startComments } from "./player_comments.js";
import { startNew } from "./fresh.js";
import { notePlace, startPlace } from "./place.js";
import { followCurrent, playerChanged, refreshPlayer, startPlayer } from "./player.js";
import { reviewsChanged, unsaved } from "./reviews.js";
import { keepShownSelected, selectionChanged, startSelection } from "./selection.js";
import { isWriting } from "./server.js";
import { isServed, startPolling, withdrawnSeen } from "./sync.js";
import { startViews } from "./views.js";
import { takeAway } from "./withdrawn.js";

reviewsChanged.listen(refreshCards);
reviewsChanged.listen(countFigures);
reviewsChanged.listen(nameBareClips);
reviewsChanged.listen(refreshDock);
reviewsChanged.listen(followDecisions);
reviewsChanged.listen(refreshPlayer);
reviewsChanged.listen(refreshCompare);
reviewsChanged.listen(refreshComments);
reviewsChanged.listen(refreshMasks);
mailsChanged.listen((rows) => refreshCards(rows, true));
mailsChanged.listen(countFigures);
mailsChanged.listen(nameBareClips);
mailsChanged.listen(listMailsToAnswer);
mailsChanged.listen(refreshMailChoices);
mailsChanged.listen(followDecisions);
consentsChanged.listen((rows) => refreshCards(rows, true));
consentsChanged.listen(countFigures);
consentsChanged.listen(nameBareClips);
consentsChanged.listen(refreshDock);
consentsChanged.listen(followDecisions);
consentsChanged.listen(refreshPlayer);
listChanged.listen(keepShownSelected);
currentChanged.listen(stopOtherFilms);
currentChanged.listen(followCurrent);
currentChanged.listen(notePlace);
listChanged.listen(notePlace);
playerChanged.listen(notePlace);
selectionChanged.listen(refreshDock);
withdrawnSeen.listen(takeAway);

startMorning();
startSelection();
startList();
startCardActions();
startPlayer();
startCompare();
startMasks();
startConsentActions();
startComments();
startPlace();
startKeys();
startDock();
if (isServed) {
  startMontage();
  startViews();
  startNew();
  startPolling();
}
window.addEventListener("beforeunload", (event) => {
  if (unsaved.size || unsavedConsents.size || isMontageChanged() || isWriting()) event.preventDefault();
});
