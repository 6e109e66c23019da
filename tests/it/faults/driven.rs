//! The rows about delivery once more, with a client that has no thread and is driven by a current-thread runtime.

use super::{clock, credentials, destination, http, input, observers, overload, plugin};
use crate::support::driven;

macro_rules! rows {
    ($($family:ident: $($row:ident)*;)*) => {$($(
        #[test]
        fn $row() {
            driven($family::$row);
        }
    )*)*};
}

rows! {
    http:
        a_storm_of_5xx_delays_and_loses_nothing
        retry_after_in_seconds_pauses_the_lane_and_spends_no_retry
        pauses_in_a_row_are_told_once_and_each_ends_in_one_request
        retry_after_as_a_date_pauses_until_then
        a_refused_connection_is_retried
        a_reset_before_the_status_is_retried
        a_reset_in_the_middle_of_the_request_is_retried
        a_reset_after_a_2xx_head_is_delivered
        a_server_that_never_answers_is_timed_out
        a_response_that_drips_is_judged_by_its_status
        responses_that_all_drip_do_not_pile_up_connections
        a_head_that_drips_is_timed_out
        a_name_that_cannot_be_looked_up_is_told_apart_and_retried
        a_certificate_that_nobody_vouches_for_is_refused_and_retried
        a_server_without_tls_gets_no_plaintext_instead
        garbage_in_place_of_http_is_retried
        a_malformed_body_changes_nothing
        a_redirect_is_never_followed
        one_poisonous_event_does_not_cost_its_batch
        a_poisonous_event_does_not_cost_the_first_batch
        a_destination_that_has_never_worked_is_not_asked_event_by_event
        a_batch_that_is_too_large_for_the_server_is_split
        bytes_that_are_not_utf_8_in_a_response_change_nothing
        a_decompression_bomb_is_neither_read_nor_unpacked
        an_expired_date_asks_for_the_shortest_pause;
    credentials:
        a_refused_key_is_said_at_once_and_then_once_a_minute_and_every_event_is_counted
        what_was_not_said_yet_is_said_at_the_end
        a_key_is_rotated_while_events_flow
        a_batch_that_failed_with_the_old_key_goes_on_with_the_new_one
        a_request_that_is_refused_while_the_key_changes_is_repeated_with_the_new_one
        a_key_that_cannot_be_used_changes_nothing;
    destination:
        a_destination_that_panics_costs_its_own_batches_only
        a_dead_service_is_made_again
        a_service_that_dies_again_and_again_is_given_up
        a_dead_service_that_cannot_be_made_again_is_given_up
        an_attempt_that_hangs_is_cut_and_tried_again
        a_schedule_of_retries_that_panics_is_no_schedule;
    input:
        the_size_limit_is_exact
        nesting_is_refused_without_recursion
        numbers_that_json_lacks_are_refused;
    overload:
        a_queue_that_was_full_takes_events_again
        a_burst_keeps_connections_few_and_loses_nothing;
    clock:
        a_jump_of_the_wall_clock_moves_no_timer
        events_and_requests_carry_the_wall_clock_of_their_time;
    plugin:
        a_plugin_that_keeps_breaking_is_not_called_any_more
        an_after_plugin_that_keeps_breaking_is_not_called_any_more;
    observers:
        a_callback_that_panics_is_contained;
}
